package leaderboard

import (
	"errors"
	"time"

	"sluice/shared/consumer"
)

// DefaultHorizon is the default of Settings.Horizon.
const DefaultHorizon = 384 * time.Hour

// Settings are the leaderboard's own settings. Those of the views are the pipeline's.
type Settings struct {
	// LedgerTable remembers older changes, see package aggregate.
	LedgerTable string `env:"LEDGER_TABLE" output:"LedgerTable,required,notEmpty"`
	// Horizon is how long changes are remembered. It must be longer than the
	// stream's retention plus the dead letters' life; older changes are rejected.
	Horizon time.Duration `env:"HORIZON" output:"Horizon,required,notEmpty"`
}

// DefaultSettings are the defaults. LedgerTable has none.
func DefaultSettings() Settings { return Settings{Horizon: DefaultHorizon} }

// Validate reports every fault at once.
func (s Settings) Validate() error {
	return errors.Join(consumer.CheckTables(s), consumer.CheckHorizon(s.Horizon))
}
