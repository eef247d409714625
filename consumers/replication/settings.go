package replication

import (
	"errors"
	"time"

	"sluice/shared/consumer"
)

// The defaults of Settings, see DefaultSettings.
const (
	DefaultSourceTable    = "UserScoreEvents"
	DefaultReplicaTable   = "UserScoreEvents"
	DefaultReplicaRegion  = "eu-west-1"
	DefaultTombstoneTable = "ReplicaTombstones"
	DefaultConflictTable  = "ReplicaConflicts"
	DefaultHorizon        = 384 * time.Hour
)

// Settings are replication's own settings.
type Settings struct {
	// SourceTable is the table that is copied.
	SourceTable string `env:"SOURCE_TABLE" output:"SourceTable,required,notEmpty"`
	// ReplicaTable is the copy, in ReplicaRegion.
	ReplicaTable  string `env:"REPLICA_TABLE" output:"ReplicaTable"`
	ReplicaRegion string `env:"REPLICA_REGION" output:"ReplicaRegion"`
	// TombstoneTable is the table, in every region with a copy, that remembers
	// removed items.
	TombstoneTable string `env:"TOMBSTONE_TABLE" output:"TombstoneTable,required,notEmpty"`
	// ConflictTable is the table, in every region of a table that is kept the same in
	// several, that keeps the versions which lost.
	ConflictTable string `env:"CONFLICT_TABLE" output:"ConflictTable"`
	// RemoveExpired says whether an item that expires (TTL) is removed from the copy.
	RemoveExpired bool `env:"REMOVE_EXPIRED" output:"RemoveExpired,required,notEmpty"`
	// Horizon is how long a removed item is remembered. It must be longer than the
	// stream's retention plus the dead letters' life; older changes are rejected.
	Horizon time.Duration `env:"HORIZON"`
}

// DefaultSettings are the defaults.
func DefaultSettings() Settings {
	return Settings{
		SourceTable:    DefaultSourceTable,
		ReplicaTable:   DefaultReplicaTable,
		ReplicaRegion:  DefaultReplicaRegion,
		TombstoneTable: DefaultTombstoneTable,
		ConflictTable:  DefaultConflictTable,
		RemoveExpired:  true,
		Horizon:        DefaultHorizon,
	}
}

// Validate reports every fault at once.
func (s Settings) Validate() error {
	faults := []error{consumer.CheckTables(s)}
	if s.ReplicaRegion == "" {
		faults = append(faults, errors.New("REPLICA_REGION must name a region"))
	}
	return errors.Join(append(faults, consumer.CheckHorizon(s.Horizon))...)
}
