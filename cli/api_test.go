package cli

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// A page of somebody else can't ask the API through a browser, under whatever name it
// lets lead to this machine. Fails if only one of Host and Origin is looked at.
func TestForeignPagesAreRefused(t *testing.T) {
	h := onlyOwn(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), []string{"api.example"})
	for _, test := range []struct {
		host, origin string
		want         int
	}{
		{"localhost:8080", "", 200}, {"LOCALHOST.", "", 200}, {"127.0.0.1:8080", "", 200}, {"127.9.9.9", "", 200}, {"[::1]:8080", "", 200}, {"[::1]", "", 200}, {"192.168.1.5:8080", "", 200}, {"api.example", "", 200}, {"API.example:1", "", 200},
		{"evil.example", "", 421}, {"evil.example:8080", "", 421}, {"localhost.evil.example", "", 421}, {"127.0.0.1.evil.example", "", 421}, {"", "", 421}, {"api.example.evil", "", 421}, {"2130706433", "", 421},
		{"localhost:8080", "http://localhost:8080", 200}, {"127.0.0.1:8080", "http://127.0.0.1:8080", 200}, {"localhost:8080", "https://api.example", 200}, {"[::1]:8080", "http://[::1]:8080", 200},
		{"localhost:8080", "http://evil.example", 403}, {"localhost:8080", "null", 403}, {"localhost:8080", "http://localhost:9999", 403}, {"localhost:8080", "http://192.168.1.66", 403}, {"localhost:8080", "file://", 403}, {"localhost:8080", "%%", 403}, {"localhost:8080", "http://localhost.evil.example:8080", 403},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/search", nil)
		r.Host = test.host
		if test.origin != "" {
			r.Header.Set("Origin", test.origin)
		}
		recorder := httptest.NewRecorder()
		h.ServeHTTP(recorder, r)
		if recorder.Code != test.want {
			t.Errorf("host %q, origin %q: %d, want %d (%s)", test.host, test.origin, recorder.Code, test.want, recorder.Body)
		}
	}
}

// Nor can it have a browser ask for an image, a script or a frame, for which there is no Origin. Fails if only Origin is looked at.
func TestWhatForeignPagesShowIsRefused(t *testing.T) {
	h := onlyOwn(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), nil)
	for site, want := range map[string]int{"": 200, "none": 200, "same-origin": 200, "same-site": 403, "cross-site": 403} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/search", nil)
		r.Host = "localhost:8080"
		if site != "" {
			r.Header.Set("Sec-Fetch-Site", site)
		}
		recorder := httptest.NewRecorder()
		h.ServeHTTP(recorder, r)
		if recorder.Code != want {
			t.Errorf("Sec-Fetch-Site %q: %d, want %d (%s)", site, recorder.Code, want, recorder.Body)
		}
	}
}
