package search

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"time"

	"sluice/shared/consumer"
)

// Auth says how requests prove who makes them.
type Auth string

// The ways to prove it.
const (
	// IAM: signed with the function's own rights, for AWS's OpenSearch Service.
	IAM Auth = "iam"
	// Basic: a user and a password.
	Basic Auth = "basic"
	// None: not at all, for one machine.
	None Auth = "none"
)

// The defaults of Settings, see DefaultSettings.
const (
	DefaultPetTable   = "PetTracker"
	DefaultBoardTable = "Leaderboard"
	DefaultScoreTable = "UserScoreEvents"
	DefaultService    = "es"
	DefaultHorizon    = 384 * time.Hour
)

// Settings are search's own settings.
type Settings struct {
	// Endpoint is OpenSearch's URL.
	Endpoint string `env:"SEARCH_ENDPOINT" output:"SearchEndpoint,required,notEmpty"`
	Auth     Auth   `env:"SEARCH_AUTH" output:"SearchAuth,required,notEmpty"`
	// Service is what requests are signed for: es, or aoss for a serverless collection.
	Service string `env:"SEARCH_SERVICE"`
	// SecretARN is for Basic: a secret of Secrets Manager, {"username": …, "password": …}. A password in a function's
	// environment would be shown to whoever may look at the function.
	SecretARN string `env:"SEARCH_SECRET_ARN"`
	// User and Password are for Basic without a secret, for people at the command line.
	User, Password string
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
		Auth:       IAM,
		Service:    DefaultService,
		PetTable:   DefaultPetTable,
		BoardTable: DefaultBoardTable,
		ScoreTable: DefaultScoreTable,
		Horizon:    DefaultHorizon,
	}
}

// Validate reports every fault at once.
func (s Settings) Validate() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	switch u, err := url.Parse(s.Endpoint); {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		fault("SEARCH_ENDPOINT must be OpenSearch's URL, with https:// (got %q)", s.Endpoint)
	case u.Scheme == "http" && s.Auth != None && u.Hostname() != "localhost" && !net.ParseIP(u.Hostname()).IsLoopback():
		fault("SEARCH_ENDPOINT must begin with https://, since SEARCH_AUTH is %s: over http:// everybody on the way reads the requests and can change them (got %q)", s.Auth, s.Endpoint)
	}
	if !slices.Contains([]Auth{IAM, Basic, None}, s.Auth) {
		fault("SEARCH_AUTH must be %s, %s or %s (got %q)", IAM, Basic, None, s.Auth)
	}
	if s.Auth == IAM && s.Service != "es" && s.Service != "aoss" {
		fault("SEARCH_SERVICE must be es, or aoss for a serverless collection (got %q)", s.Service)
	}
	if s.Auth == Basic && s.SecretARN == "" && (s.User == "" || s.Password == "") {
		fault("SEARCH_AUTH is %s, so SEARCH_SECRET_ARN must be set; at the command line, SEARCH_USER and SEARCH_PASSWORD must be set", Basic)
	}
	for _, t := range []struct{ name, value string }{{"PET_TABLE", s.PetTable}, {"BOARD_TABLE", s.BoardTable}, {"SCORE_TABLE", s.ScoreTable}} {
		if t.value == "" {
			fault("%s must name a table", t.name)
		}
	}
	faults = append(faults, consumer.CheckHorizon(s.Horizon))
	return errors.Join(faults...)
}

// variables are the settings that a file of routes may name.
func (s Settings) variables() map[string]string {
	return map[string]string{"PET_TABLE": s.PetTable, "BOARD_TABLE": s.BoardTable, "SCORE_TABLE": s.ScoreTable}
}
