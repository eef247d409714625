package blast

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"sync"

	"golang.org/x/sync/errgroup"

	"sluice/shared/consumertest/wire"
)

// Request is a whole request, ready to be sent.
type Request struct {
	*http.Request
	Body   []byte
	Status int // of its answer
}

// Recorder is an http.RoundTripper that keeps the requests which it sends on. It
// is safe for concurrent use.
type Recorder struct {
	Base http.RoundTripper

	mu   sync.Mutex
	sent []Request
}

// RoundTrip implements http.RoundTripper.
func (r *Recorder) RoundTrip(sent *http.Request) (*http.Response, error) {
	// Of the right size at once: who is recorded is timed, too.
	read := bytes.NewBuffer(make([]byte, 0, max(0, sent.ContentLength)+bytes.MinRead))
	if _, err := read.ReadFrom(sent.Body); err != nil {
		return nil, err
	}
	body := read.Bytes()
	kept := sent.Clone(context.WithoutCancel(sent.Context())) // the caller's own ends with the call
	sent = sent.Clone(sent.Context())
	sent.Body = io.NopCloser(bytes.NewReader(body))
	answer, err := r.Base.RoundTrip(sent)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent = append(r.sent, Request{kept, body, answer.StatusCode})
	return answer, nil
}

// Take returns the requests since the last Take, in the order of their answers.
func (r *Recorder) Take() []Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	sent := r.sent
	r.sent = nil
	return sent
}

// Nowhere answers every request of DynamoDB's protocol with an empty result, so
// that a Recorder over it keeps what an SDK would send, and no server sees it.
type Nowhere struct{}

// RoundTrip implements http.RoundTripper.
func (Nowhere) RoundTrip(r *http.Request) (*http.Response, error) {
	return wire.Answer(r, http.StatusOK, http.Header{"X-Amz-Crc32": {"2745614147"}}, []byte("{}")), nil
}

var credential = regexp.MustCompile(`Credential=[^/]*/`)

// Redirect turns requests to the database of another access key. DynamoDB Local
// keeps one for each, and doesn't check the signature.
func Redirect(requests []Request, accessKeyID string) {
	for _, r := range requests {
		signed := r.Header.Get("Authorization")
		r.Header.Set("Authorization", credential.ReplaceAllLiteralString(signed, "Credential="+accessKeyID+"/"))
	}
}

// Send sends all requests, so many at once. Those of which order says the same of
// their bodies go one after the other. Each must be answered with its Status.
func Send(client *http.Client, requests []Request, concurrency int, order func(body []byte) string) error {
	inOrder := map[string][]Request{}
	var names []string
	for _, r := range requests {
		name := order(r.Body)
		if inOrder[name] == nil {
			names = append(names, name)
		}
		inOrder[name] = append(inOrder[name], r)
	}
	var work errgroup.Group
	work.SetLimit(concurrency)
	for _, name := range names {
		work.Go(func() error {
			for _, r := range inOrder[name] {
				if err := send(client, r); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return work.Wait()
}

func send(client *http.Client, r Request) error {
	r.Request.Body = io.NopCloser(bytes.NewReader(r.Body))
	response, err := client.Do(r.Request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != r.Status {
		err = fmt.Errorf("answered %s where it was %d before: %s", response.Status, r.Status, answer)
	}
	return err
}
