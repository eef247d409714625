package search_test

import (
	"strings"
	"testing"

	"sluice/consumers/search"
	"sluice/consumers/search/internal/index"
)

func TestSettingsValidate(t *testing.T) {
	err := search.Settings{Connection: index.Connection{Auth: index.Basic}}.Validate()
	for _, name := range []string{"SEARCH_ENDPOINT", "SEARCH_USER", "HORIZON"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v says nothing of %s", err, name)
		}
	}
	settings := search.DefaultSettings()
	settings.Endpoint = "https://search.example"
	if err := settings.Validate(); err != nil {
		t.Error(err)
	}
	settings.Auth, settings.Service = "kerberos", "s3"
	if err := settings.Validate(); err == nil || !strings.Contains(err.Error(), "SEARCH_AUTH") {
		t.Errorf("%v says nothing of SEARCH_AUTH", err)
	}
	settings.Auth = index.IAM
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
		for _, auth := range []index.Auth{index.IAM, index.Basic, index.None} {
			settings := search.DefaultSettings()
			settings.Endpoint, settings.Auth, settings.User, settings.Password = endpoint, auth, "ann", "one"
			if err := settings.Validate(); (err == nil) != (safe || auth == index.None) {
				t.Errorf("%s with %s: %v", endpoint, auth, err)
			}
		}
	}
}
