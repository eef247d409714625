package sdkhttp

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// sdkBody is a body as the SDK has it, at the worst moment: net/http comes to its end only when the SDK has closed it.
type sdkBody struct {
	*strings.Reader

	asked  chan struct{} // closed when net/http has come to the end
	closed chan struct{}
	once   sync.Once
}

func newBody(text string) *sdkBody {
	return &sdkBody{Reader: strings.NewReader(text), asked: make(chan struct{}), closed: make(chan struct{})}
}

func (b *sdkBody) WriteTo(io.Writer) (int64, error) {
	close(b.asked)
	<-b.closed
	return 0, io.EOF
}

func (b *sdkBody) Close() error {
	b.once.Do(func() { close(b.closed) })
	return nil
}

// server answers with what it was sent: the head at once, the rest when it is told to, or the client is gone.
type server struct {
	*httptest.Server

	proceed, gone chan struct{}
}

func newServer(t *testing.T) *server {
	s := &server{proceed: make(chan struct{}), gone: make(chan struct{})}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		select {
		case <-s.proceed:
		case <-r.Context().Done():
			close(s.gone)
		}
		_, _ = w.Write(body) // fails if the client is gone
	}))
	t.Cleanup(s.Close)
	return s
}

// do makes a call as the SDK does: it closes the body when the answer's head is there, and reads the answer then.
func (s *server) do(t *testing.T, client aws.HTTPClient, body *sdkBody, closed func()) (string, error) {
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL, body)
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = body.Size()
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := body.Close(); err != nil {
		t.Fatal(err)
	}
	closed()
	answer, err := io.ReadAll(response.Body)
	return string(answer), err
}

// The answer comes whole, also to a request that is too long to be copied, while the SDK's own client loses it.
func TestAnswerIsNotLost(t *testing.T) {
	for name, length := range map[string]int{"short": 10, "long": maxCopied + 1} {
		t.Run(name, func(t *testing.T) {
			text := strings.Repeat("x", length)
			s := newServer(t)
			answer, err := s.do(t, New(), newBody(text), func() { close(s.proceed) })
			if err != nil || answer != text {
				t.Errorf("answer of %d bytes, %v; want the %d sent", len(answer), err, length)
			}

			s = newServer(t)
			body := newBody(text)
			answer, err = s.do(t, awshttp.NewBuildableClient(), body, func() { <-body.asked; <-s.gone })
			if err == nil {
				t.Errorf("the SDK's own client has got an answer of %d bytes: is there still a reason for this package?", len(answer))
			}
		})
	}
}

// What can be known to be in memory goes out at once, and can be repeated.
func TestShortBodyIsACopy(t *testing.T) {
	var sent *http.Request
	client := Over(clientFunc(func(r *http.Request) (*http.Response, error) { sent = r; return nil, nil }))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1", newBody("text"))
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = 4
	if _, err := client.Do(r); err != nil { //nolint:bodyclose // it has no response
		t.Fatal(err)
	}
	again, err := sent.GetBody()
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []io.Reader{sent.Body, again} {
		read, err := io.ReadAll(body)
		if err != nil || !bytes.Equal(read, []byte("text")) {
			t.Errorf("sent %q, %v", read, err)
		}
	}
}

// A body that is shorter than it was said to be is an error, before anything is sent.
func TestBodyTooShort(t *testing.T) {
	client := Over(clientFunc(func(*http.Request) (*http.Response, error) { t.Error("was sent"); return nil, nil }))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1", newBody("text"))
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = 5
	if _, err := client.Do(r); err == nil { //nolint:bodyclose // it has no response
		t.Error("no error")
	}
}

type clientFunc func(*http.Request) (*http.Response, error)

func (f clientFunc) Do(r *http.Request) (*http.Response, error) { return f(r) }

// Whoever makes a configuration of AWS's SDK gives it the HTTP client of this package.
func TestEveryConfigHasThisClient(t *testing.T) {
	makes := `aws\.Config\{($|[A-Z])|LoadDefaultConfig\(`
	files, err := exec.Command("git", "-C", "../..", "grep", "--untracked", "-lE", makes, "--", "*.go", ":!*_test.go").Output()
	if err != nil {
		t.Fatal(err)
	}
	names := strings.Fields(string(files))
	if len(names) < 3 {
		t.Errorf("only %q make a configuration", names)
	}
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(text, []byte("sdkhttp.")) {
			t.Errorf("%s makes a configuration with another HTTP client", name)
		}
	}
}
