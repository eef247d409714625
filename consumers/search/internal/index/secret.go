package index

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// login is a user and a password as Secrets Manager keeps them, under the names that its own rotation uses:
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html
type login struct {
	User     string `json:"username"`
	Password string `json:"password"`
}

// secretReader is Secrets Manager's client.
type secretReader interface {
	GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
}

var _ secretReader = (*secretsmanager.Client)(nil)

// secretTransport signs requests with a user and a password from a secret. It reads the secret with the first request,
// since a consumer makes no call before its first batch. It reads the secret again after a refused request: the secret
// may have been rotated.
type secretTransport struct {
	secrets secretReader
	arn     string
	next    http.RoundTripper

	mu    sync.Mutex
	known *login // nil: to be read
}

var _ http.RoundTripper = (*secretTransport)(nil)

func (t *secretTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	l, err := t.login(r.Context())
	if err != nil {
		if r.Body != nil {
			r.Body.Close() // as a RoundTripper must, also where it fails
		}
		return nil, err
	}
	r = r.Clone(r.Context())
	r.SetBasicAuth(l.User, l.Password)
	response, err := t.next.RoundTrip(r)
	if err == nil && response.StatusCode == http.StatusUnauthorized {
		t.mu.Lock()
		if t.known == l { // else another request has read it again meanwhile
			t.known = nil
		}
		t.mu.Unlock()
	}
	return response, err
}

func (t *secretTransport) login(ctx context.Context) (*login, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.known != nil {
		return t.known, nil
	}
	out, err := t.secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &t.arn})
	if err != nil {
		return nil, fmt.Errorf("read the secret %s: %w", t.arn, err)
	}
	l := &login{}
	// The text of a fault would show parts of the secret.
	if err := json.Unmarshal([]byte(aws.ToString(out.SecretString)), l); err != nil || l.User == "" || l.Password == "" {
		return nil, fmt.Errorf(`the secret %s must be JSON, {"username": …, "password": …}, and is not`, t.arn)
	}
	t.known = l
	return l, nil
}
