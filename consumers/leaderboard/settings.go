package leaderboard

import (
	"errors"
	"fmt"
	"time"

	"sluice/shared/consumer"
)

// The defaults of Settings, see DefaultSettings.
const (
	DefaultScoreTable = "UserScoreEvents"
	DefaultBoardTable = "Leaderboard"
	DefaultBoxTable   = "LeaderboardBoxes"
	DefaultRankTable  = "LeaderboardRanks"
	DefaultPetTable   = "PetTracker"
	DefaultShards     = 10
	DefaultHorizon    = 384 * time.Hour
)

// Settings are the leaderboard's own settings.
type Settings struct {
	// ScoreTable is the game's table of scores.
	ScoreTable string `env:"SCORE_TABLE" output:"ScoreTable,required,notEmpty"`
	// BoardTable holds the totals.
	BoardTable string `env:"BOARD_TABLE" output:"BoardTable,required,notEmpty"`
	// BoxTable holds the scores of each day and week.
	BoxTable string `env:"BOX_TABLE" output:"BoxTable,required,notEmpty"`
	// RankTable holds how many players stand where on the board of totals.
	RankTable string `env:"RANK_TABLE" output:"RankTable,required,notEmpty"`
	// PetTable is the pet tracker's table, which holds its views too.
	PetTable string `env:"PET_TABLE" output:"PetTable,required,notEmpty"`
	// LedgerTable remembers older changes, see package aggregate.
	LedgerTable string `env:"LEDGER_TABLE" output:"LedgerTable,required,notEmpty"`
	// Shards is over how many partitions of an index the players are spread.
	Shards int `env:"BOARD_SHARDS" output:"BoardShards,required,notEmpty"`
	// CountTTLDeletes says whether a score that expires is subtracted.
	CountTTLDeletes bool `env:"COUNT_TTL_DELETES" output:"CountTTLDeletes,required,notEmpty"`
	// Horizon is how long changes are remembered. It must be longer than the
	// stream's retention plus the dead letters' life; older changes are rejected.
	Horizon time.Duration `env:"HORIZON" output:"Horizon,required,notEmpty"`
}

// DefaultSettings are the defaults. LedgerTable has none.
func DefaultSettings() Settings {
	return Settings{
		ScoreTable:      DefaultScoreTable,
		BoardTable:      DefaultBoardTable,
		BoxTable:        DefaultBoxTable,
		RankTable:       DefaultRankTable,
		PetTable:        DefaultPetTable,
		Shards:          DefaultShards,
		CountTTLDeletes: true,
		Horizon:         DefaultHorizon,
	}
}

// Validate reports every fault at once.
func (s Settings) Validate() error {
	faults := []error{consumer.CheckTables(s)}
	if s.Shards < 1 {
		faults = append(faults, fmt.Errorf("BOARD_SHARDS must be at least 1 (got %d)", s.Shards))
	}
	faults = append(faults, consumer.CheckHorizon(s.Horizon))
	return errors.Join(faults...)
}
