package replication

import (
	"errors"
	"time"

	"sluice/shared/consumer"
)

// The defaults of Settings, see DefaultSettings.
const (
	DefaultTombstoneTable = "ReplicaTombstones"
	DefaultConflictTable  = "ReplicaConflicts"
	DefaultHorizon        = 384 * time.Hour
)

// Settings are replication's own settings.
type Settings struct {
	// TombstoneTable is the table, in every region with a copy, that remembers
	// removed items.
	TombstoneTable string `env:"TOMBSTONE_TABLE" output:"TombstoneTable,required,notEmpty"`
	// ConflictTable is the table, in every region of a table that is kept the same in
	// several, that keeps the versions which lost.
	ConflictTable string `env:"CONFLICT_TABLE" output:"ConflictTable"`
	// Horizon is how long a removed item is remembered. It must be longer than the
	// stream's retention plus the dead letters' life; older changes are rejected.
	Horizon time.Duration `env:"HORIZON"`
}

// DefaultSettings are the defaults.
func DefaultSettings() Settings {
	return Settings{
		TombstoneTable: DefaultTombstoneTable,
		ConflictTable:  DefaultConflictTable,
		Horizon:        DefaultHorizon,
	}
}

// Validate reports every fault at once.
func (s Settings) Validate() error {
	return errors.Join(consumer.CheckTables(s), consumer.CheckHorizon(s.Horizon))
}
