package stack_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"sluice/deploy/local/stack"
)

// checkGuarded fails for a stack that answers web pages, or whose run directory others may read.
func checkGuarded(t *testing.T, dir string, info stack.Info) {
	t.Helper()
	for _, process := range info.Processes {
		for _, header := range [][2]string{{"Origin", "https://evil.example"}, {"Host", "evil.example"}, {"Sec-Fetch-Site", "cross-site"}} {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, process.Endpoint+"/", nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set(header[0], header[1])
			if header[0] == "Host" {
				request.Host = header[1]
			}
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			if err := response.Body.Close(); err != nil {
				t.Error(err)
			}
			// OpenSearch has no handler for the request at all.
			if response.StatusCode != http.StatusForbidden && process.Name != "OpenSearch" || response.StatusCode < 400 {
				t.Errorf("%s answers a request with %s: %s with status %d", process.Name, header[0], header[1], response.StatusCode)
			}
		}
	}
	response, err := http.Get(info.Endpoints.AWS + "/?Action=CreateQueue&QueueName=q")
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil || response.StatusCode != http.StatusForbidden {
		t.Errorf("a request without a key is answered with status %d (%v)", response.StatusCode, err)
	}
	for path, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, "stack.log"): 0o600, filepath.Join(dir, "ministack.log"): 0o600} {
		if file, err := os.Stat(path); err != nil || file.Mode().Perm() != want {
			t.Errorf("%s: %v (%v), want the mode %v", path, file.Mode().Perm(), err, want)
		}
	}
}
