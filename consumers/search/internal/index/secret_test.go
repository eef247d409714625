package index

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// secrets is a Secrets Manager with one secret; "" has none.
type secrets struct {
	text  string
	reads int
}

func (s *secrets) GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	s.reads++
	if s.text == "" {
		return nil, errors.New("no such secret")
	}
	return &secretsmanager.GetSecretValueOutput{SecretString: &s.text}, nil
}

// takes is an OpenSearch that takes one password.
type takes struct{ password string }

func (t *takes) RoundTrip(r *http.Request) (*http.Response, error) {
	status := http.StatusUnauthorized
	if user, password, _ := r.BasicAuth(); user == "ann" && password == t.password {
		status = http.StatusOK
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(""))}, nil
}

// Fails for a function that reads the secret for each request, or never again once it was rotated.
func TestSecretIsReadOnceAndAgainWhenRefused(t *testing.T) {
	manager, server := &secrets{text: `{"username": "ann", "password": "one"}`}, &takes{"one"}
	transport := &secretTransport{secrets: manager, arn: "arn:secret", next: server}
	request := func(wantStatus, wantReads int) {
		t.Helper()
		r, err := http.NewRequest(http.MethodPost, "https://search.example/_bulk", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		response, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != wantStatus || manager.reads != wantReads {
			t.Fatalf("status %d after %d reads of the secret, want %d after %d", response.StatusCode, manager.reads, wantStatus, wantReads)
		}
		if r.Header.Get("Authorization") != "" {
			t.Error("the caller's request was changed")
		}
	}
	request(http.StatusOK, 1)
	request(http.StatusOK, 1)
	server.password, manager.text = "two", `{"username": "ann", "password": "two"}`
	request(http.StatusUnauthorized, 1)
	request(http.StatusOK, 2)
}

func TestSecretsThatCannotBeUsed(t *testing.T) {
	for text, want := range map[string]string{
		"":                        "read the secret arn:secret: no such secret",
		"hush":                    `the secret arn:secret must be JSON, {"username": …, "password": …}, and is not`,
		`{"username": "hush"}`:    "must be JSON",
		`{"password": ["hush"]}`:  "must be JSON",
		`{"user":"a","pass":"b"}`: "must be JSON",
	} {
		transport := &secretTransport{secrets: &secrets{text: text}, arn: "arn:secret"}
		_, err := transport.login(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: error %v, want one with %q and nothing of the secret", text, err, want)
		}
	}
}
