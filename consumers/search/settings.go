package search

import (
	"errors"
	"time"

	"sluice/consumers/search/internal/index"
	"sluice/shared/consumer"
)

// DefaultHorizon is the default of Settings.Horizon.
const DefaultHorizon = 384 * time.Hour

// Settings are the settings of search's function. Those of the routes are the pipeline's.
type Settings struct {
	index.Connection
	// Horizon is how long a removed item is remembered. It must be longer than the
	// stream's retention plus the dead letters' life; older changes are rejected.
	Horizon time.Duration `env:"HORIZON"`
}

// DefaultSettings are the defaults. There is none for Endpoint.
func DefaultSettings() Settings {
	return Settings{
		Connection: index.Connection{Auth: index.IAM, Service: index.DefaultService},
		Horizon:    DefaultHorizon,
	}
}

// Validate reports every fault at once.
func (s Settings) Validate() error {
	return errors.Join(s.Connection.Validate(), consumer.CheckHorizon(s.Horizon))
}
