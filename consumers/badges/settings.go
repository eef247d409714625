package badges

import (
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"time"

	"sluice/consumers/badges/rule"
	"sluice/shared/consumer"
)

// The defaults of Settings, see DefaultSettings.
const (
	DefaultScoreTable       = "UserScoreEvents"
	DefaultPetTable         = "PetTracker"
	DefaultAchievementTable = "Achievements"
	DefaultStateTable       = "BadgeState"
	DefaultLanguage         = "en"
	DefaultHorizon          = 384 * time.Hour
)

// Settings are the badges' own settings.
type Settings struct {
	// ScoreTable is the game's table: each of its items is a play.
	ScoreTable string `env:"SCORE_TABLE" output:"ScoreTable,required,notEmpty"`
	// PetTable is the pet tracker's table.
	PetTable string `env:"PET_TABLE" output:"PetTable,required,notEmpty"`
	// AchievementTable holds the badges that players have; keys Player and Award (S).
	AchievementTable string `env:"ACHIEVEMENT_TABLE" output:"AchievementTable,required,notEmpty"`
	// StateTable holds what the rules look at; keys Player and Of (S).
	StateTable string `env:"STATE_TABLE" output:"StateTable,required,notEmpty"`
	// LedgerTable remembers older changes, see package aggregate.
	LedgerTable string `env:"LEDGER_TABLE" output:"LedgerTable,required,notEmpty"`
	// TopicARN is where players are told of their badges.
	TopicARN string `env:"TOPIC_ARN" output:"TopicArn,required,notEmpty"`
	// Language is that of a notice's text; all others are in it too.
	Language string `env:"NOTICE_LANGUAGE" output:"NoticeLanguage,required,notEmpty"`
	// CountTTLDeletes says whether a play that expires is subtracted. By default it isn't: what
	// has expired was played.
	CountTTLDeletes bool `env:"COUNT_TTL_DELETES" output:"CountTTLDeletes,required,notEmpty"`
	// Horizon is how long changes are remembered. It must be longer than the
	// stream's retention plus the dead letters' life; older changes are rejected.
	Horizon time.Duration `env:"HORIZON" output:"Horizon,required,notEmpty"`
}

// DefaultSettings are the defaults. LedgerTable and TopicARN have none.
func DefaultSettings() Settings {
	return Settings{
		ScoreTable:       DefaultScoreTable,
		PetTable:         DefaultPetTable,
		AchievementTable: DefaultAchievementTable,
		StateTable:       DefaultStateTable,
		Language:         DefaultLanguage,
		Horizon:          DefaultHorizon,
	}
}

// Validate reports every fault at once.
func (s Settings) Validate() error {
	faults := []error{consumer.CheckTables(s)}
	if !strings.HasPrefix(s.TopicARN, "arn:") {
		faults = append(faults, fmt.Errorf("TOPIC_ARN must be the ARN of an SNS topic (got %q)", s.TopicARN))
	}
	if s.Language == "" {
		faults = append(faults, errors.New("NOTICE_LANGUAGE must be a language that the rules have texts in"))
	}
	faults = append(faults, consumer.CheckHorizon(s.Horizon))
	return errors.Join(faults...)
}

// rulesFile declares the rules; it is part of the function.
//
//go:embed rules.yaml
var rulesFile []byte

// RulesPath is where the shipped rules are declared, from the checkout's root.
const RulesPath = "consumers/badges/rules.yaml"

// Rules returns the rules that the consumer follows with these settings.
func (s Settings) Rules() (*rule.Book, error) { return s.ReadRules(RulesPath, rulesFile) }

// ReadRules reads and checks the rules that another file declares. The error has
// every fault with its line and column, see rule.Parse.
func (s Settings) ReadRules(path string, text []byte) (*rule.Book, error) {
	return rule.Parse(path, text, consumer.Variables(s), s.StateTable)
}
