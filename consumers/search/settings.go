package search

import (
	"errors"
	"time"

	"sluice/consumers/search/internal/index"
	"sluice/shared/consumer"
)

// The defaults of Settings, see DefaultSettings.
const (
	DefaultPetTable   = "PetTracker"
	DefaultBoardTable = "Leaderboard"
	DefaultScoreTable = "UserScoreEvents"
	DefaultHorizon    = 384 * time.Hour
)

// Settings are the settings of search's function.
type Settings struct {
	index.Connection
	// PetTable, BoardTable and ScoreTable are the tables of the shipped routes.
	PetTable   string `env:"PET_TABLE" output:"PetTable,required,notEmpty"`
	BoardTable string `env:"BOARD_TABLE" output:"BoardTable,required,notEmpty"`
	ScoreTable string `env:"SCORE_TABLE" output:"ScoreTable,required,notEmpty"`
	// Horizon is how long a removed item is remembered. It must be longer than the
	// stream's retention plus the dead letters' life; older changes are rejected.
	Horizon time.Duration `env:"HORIZON"`
}

// DefaultSettings are the defaults. There is none for Endpoint.
func DefaultSettings() Settings {
	return Settings{
		Connection: index.Connection{Auth: index.IAM, Service: index.DefaultService},
		PetTable:   DefaultPetTable,
		BoardTable: DefaultBoardTable,
		ScoreTable: DefaultScoreTable,
		Horizon:    DefaultHorizon,
	}
}

// Validate reports every fault at once.
func (s Settings) Validate() error {
	return errors.Join(s.Connection.Validate(), consumer.CheckTables(s), consumer.CheckHorizon(s.Horizon))
}
