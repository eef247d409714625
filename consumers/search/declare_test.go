package search

import (
	"strings"
	"testing"

	"sluice/shared/declaration/declarationtest"
)

// Each faulty file with every error that it should have. Fails if a check is left
// out, stops at the first fault, or names another place.
func TestFaultsOfAFile(t *testing.T) {
	declarationtest.Faults(t, 2, func(name string, text []byte) error {
		_, err := DefaultSettings().ReadRoutes(name, text)
		return err
	})
}

// The shipped routes with their defaults.
func TestShippedRoutes(t *testing.T) {
	routes, err := DefaultSettings().Routes()
	if err != nil || len(routes) != 3 {
		t.Fatalf("%d routes, %v", len(routes), err)
	}
	for i, want := range []string{"PetTracker → pets", "Leaderboard → players", "UserScoreEvents → plays"} {
		if got := routes[i].Source + " → " + routes[i].Index; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestSettingsValidate(t *testing.T) {
	err := Settings{Auth: Basic}.Validate()
	for _, name := range []string{"SEARCH_ENDPOINT", "SEARCH_USER", "PET_TABLE", "BOARD_TABLE", "SCORE_TABLE", "HORIZON"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v says nothing of %s", err, name)
		}
	}
	settings := DefaultSettings()
	settings.Endpoint = "https://search.example"
	if err := settings.Validate(); err != nil {
		t.Error(err)
	}
	settings.Auth, settings.Service = "kerberos", "s3"
	if err := settings.Validate(); err == nil || !strings.Contains(err.Error(), "SEARCH_AUTH") {
		t.Errorf("%v says nothing of SEARCH_AUTH", err)
	}
	settings.Auth = IAM
	if err := settings.Validate(); err == nil || !strings.Contains(err.Error(), "SEARCH_SERVICE") {
		t.Errorf("%v says nothing of SEARCH_SERVICE", err)
	}
}

// Credentials and documents leave this machine over TLS only.
func TestEndpointIsSafe(t *testing.T) {
	for endpoint, safe := range map[string]bool{
		"https://search.example": true, "http://127.0.0.1:9200": true, "http://localhost:9200": true, "http://[::1]:9200": true,
		"http://search.example": false, "http://10.0.0.1:9200": false, "http://localhost.example": false, "http://127.0.0.1.example": false,
	} {
		for _, auth := range []Auth{IAM, Basic, None} {
			settings := DefaultSettings()
			settings.Endpoint, settings.Auth, settings.User, settings.Password = endpoint, auth, "ann", "one"
			if err := settings.Validate(); (err == nil) != (safe || auth == None) {
				t.Errorf("%s with %s: %v", endpoint, auth, err)
			}
		}
	}
}
