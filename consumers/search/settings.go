package search

import (
	"errors"
	"fmt"
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
	faults := []error{s.Connection.Validate()}
	for _, t := range []struct{ name, value string }{{"PET_TABLE", s.PetTable}, {"BOARD_TABLE", s.BoardTable}, {"SCORE_TABLE", s.ScoreTable}} {
		if t.value == "" {
			faults = append(faults, fmt.Errorf("%s must name a table", t.name))
		}
	}
	faults = append(faults, consumer.CheckHorizon(s.Horizon))
	return errors.Join(faults...)
}
