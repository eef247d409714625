package rights

import (
	"bytes"
	"cmp"
	"io"
	"maps"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
)

// Recorder notes the rights that the calls need which it passes on. It is safe for concurrent use.
type Recorder struct {
	Account Account

	mu    sync.Mutex
	needs map[Need]bool
	errs  map[string]error // by text
}

// To returns what passes calls on to the server with a URL, and their answers back.
func (r *Recorder) To(server string) (http.Handler, error) {
	target, err := url.Parse(server)
	if err != nil {
		return nil, err
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(target) }}
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.note(r.Account.Needs(request, body))
		request.Body = io.NopCloser(bytes.NewReader(body))
		proxy.ServeHTTP(w, request)
	}), nil
}

func (r *Recorder) note(needs []Need, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.needs == nil {
		r.needs, r.errs = map[Need]bool{}, map[string]error{}
	}
	for _, n := range needs {
		r.needs[n] = true
	}
	if err != nil {
		r.errs[err.Error()] = err
	}
}

// Needs returns the rights that calls have needed so far, each once, and what is wrong with calls of which that isn't known.
func (r *Recorder) Needs() ([]Need, []error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	needs := slices.SortedFunc(maps.Keys(r.needs), func(a, b Need) int {
		return cmp.Or(cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Action, b.Action), cmp.Compare(a.Region, b.Region))
	})
	return needs, slices.Collect(maps.Values(r.errs))
}
