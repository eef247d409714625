package badges

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"sluice/consumers/badges/rule"
	"sluice/shared/consumer"
	"sluice/shared/declaration"
)

// The defaults of Settings, see DefaultSettings.
const (
	DefaultAchievementTable = "Achievements"
	DefaultStateTable       = "BadgeState"
	DefaultLanguage         = "en"
	DefaultHorizon          = 384 * time.Hour
)

// Settings are the badges' own settings.
type Settings struct {
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
	// Horizon is how long changes are remembered. It must be longer than the
	// stream's retention plus the dead letters' life; older changes are rejected.
	Horizon time.Duration `env:"HORIZON" output:"Horizon,required,notEmpty"`
}

// DefaultSettings are the defaults. LedgerTable and TopicARN have none.
func DefaultSettings() Settings {
	return Settings{
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

// RulesFile is the file of a pipeline that declares the rules.
const RulesFile = "rules.yaml"

// Rules returns the declared rules with these settings. The error has every fault with its line and column, see [rule.Parse].
func (s Settings) Rules(d declaration.Declarations) (*rule.Book, error) {
	path, text, err := d.Read(RulesFile)
	if err != nil {
		return nil, err
	}
	return rule.Parse(path, text, d.Settings, s.StateTable)
}
