package index

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
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

// DefaultService is what requests are signed for unless a Connection says otherwise.
const DefaultService = "es"

// Connection says where OpenSearch is, and how requests prove who makes them.
type Connection struct {
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
}

// Validate reports every fault at once.
func (c Connection) Validate() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	switch u, err := url.Parse(c.Endpoint); {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		fault("SEARCH_ENDPOINT must be OpenSearch's URL, with https:// (got %q)", c.Endpoint)
	case u.Scheme == "http" && c.Auth != None && u.Hostname() != "localhost" && !net.ParseIP(u.Hostname()).IsLoopback():
		fault("SEARCH_ENDPOINT must begin with https://, since SEARCH_AUTH is %s: over http:// everybody on the way reads the requests and can change them (got %q)", c.Auth, c.Endpoint)
	}
	if !slices.Contains([]Auth{IAM, Basic, None}, c.Auth) {
		fault("SEARCH_AUTH must be %s, %s or %s (got %q)", IAM, Basic, None, c.Auth)
	}
	if c.Auth == IAM && c.Service != "es" && c.Service != "aoss" {
		fault("SEARCH_SERVICE must be es, or aoss for a serverless collection (got %q)", c.Service)
	}
	if c.Auth == Basic && c.SecretARN == "" && (c.User == "" || c.Password == "") {
		fault("SEARCH_AUTH is %s, so SEARCH_SECRET_ARN must be set; at the command line, SEARCH_USER and SEARCH_PASSWORD must be set", Basic)
	}
	return errors.Join(faults...)
}
