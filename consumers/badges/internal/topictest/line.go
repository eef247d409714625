package topictest

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"sluice/shared/consumertest/wire"
)

// Entry is one entry of a PublishBatch, as it goes over the wire.
type Entry struct {
	Message    string
	Group      string // message group of a FIFO topic
	DedupID    string // deduplication id of a FIFO topic
	Attributes map[string]string

	form url.Values // its parameters, by what follows its number
}

// Size returns the bytes that SNS counts, by its documentation.
func (e Entry) Size() int {
	size := len(e.Message)
	for name, value := range e.Attributes {
		size += len(name) + len("String") + len(value)
	}
	return size
}

const entriesPrefix = "PublishBatchRequestEntries.member."

// readEntries reads the entries of a PublishBatch.
func readEntries(body []byte) ([]Entry, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	var entries []Entry
	for n := 1; form.Has(fmt.Sprint(entriesPrefix, n, ".Id")); n++ {
		e := Entry{form: url.Values{}, Attributes: map[string]string{}}
		for key, values := range form {
			if rest, ok := strings.CutPrefix(key, fmt.Sprint(entriesPrefix, n, ".")); ok {
				e.form[rest] = values
			}
		}
		e.Message, e.Group, e.DedupID = e.form.Get("Message"), e.form.Get("MessageGroupId"), e.form.Get("MessageDeduplicationId")
		for m := 1; e.form.Has(fmt.Sprint("MessageAttributes.entry.", m, ".Name")); m++ {
			attribute := fmt.Sprint("MessageAttributes.entry.", m, ".")
			e.Attributes[e.form.Get(attribute+"Name")] = e.form.Get(attribute + "Value.StringValue")
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// EntryFault is what befalls one entry on the wire: SNS never sees the entry.
type EntryFault struct {
	Code        string // empty: the answer doesn't mention the entry
	SenderFault bool
}

// Line is the wire between a topic's client and the real server. It keeps every batch, and
// injects the faults that its functions return; a nil function injects none.
type Line struct {
	Cut    func([]Entry) wire.Fault // what befalls the call
	Refuse func([]Entry) string     // the code with which the call is refused
	Fail   func(Entry) *EntryFault  // what befalls one entry of an answer that is well otherwise
	During func() (after func())    // what happens before the call, and after it

	mu      sync.Mutex
	batches [][]Entry
}

// Forget drops the batches so far.
func (l *Line) Forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.batches = nil
}

// Batches returns the batches so far.
func (l *Line) Batches() [][]Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.batches
}

// RoundTrip implements http.RoundTripper.
func (l *Line) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	entries, err := readEntries(body)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	l.batches = append(l.batches, entries)
	l.mu.Unlock()
	if l.During != nil {
		defer l.During()()
	}
	if l.Refuse != nil {
		if code := l.Refuse(entries); code != "" {
			return wire.AnswerQuery(r, http.StatusBadRequest, code)
		}
	}
	under := &wire.Transport{}
	if l.Cut != nil {
		under.Decide = func(wire.Call) wire.Fault { return l.Cut(entries) }
	}
	if l.Fail != nil {
		return l.failSome(r, body, entries, under)
	}
	return under.RoundTrip(withBody(r, body))
}

// failSome sends the entries that don't fail, and adds the others to the real answer.
func (l *Line) failSome(r *http.Request, body []byte, entries []Entry, under http.RoundTripper) (*http.Response, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	for key := range form {
		if strings.HasPrefix(key, entriesPrefix) {
			form.Del(key)
		}
	}
	var failed bytes.Buffer
	sent := 0
	for _, e := range entries {
		fault := l.Fail(e)
		if fault == nil {
			sent++
			for key, values := range e.form {
				form[fmt.Sprint(entriesPrefix, sent, ".", key)] = values
			}
		} else if fault.Code != "" {
			member := struct {
				XMLName xml.Name `xml:"member"`
				ID      string   `xml:"Id"`
				EntryFault
				Message string
			}{ID: e.form.Get("Id"), EntryFault: *fault, Message: "injected by the test"}
			if err := xml.NewEncoder(&failed).Encode(member); err != nil {
				return nil, err
			}
		}
	}
	response, err := under.RoundTrip(withBody(r, []byte(form.Encode())))
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	const end = "</Failed>"
	if !bytes.Contains(answer, []byte(end)) {
		return nil, fmt.Errorf("the answer has no %s: %s", end, answer)
	}
	answer = bytes.Replace(answer, []byte(end), append(failed.Bytes(), end...), 1)
	return wire.Answer(r, response.StatusCode, response.Header, answer), nil
}

func withBody(r *http.Request, body []byte) *http.Request {
	r = r.Clone(r.Context())
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	r.Header.Set("Content-Length", strconv.Itoa(len(body)))
	return r
}

// IDs returns the ids of each batch's notices.
func IDs(t *testing.T, batches [][]Entry) [][]string {
	t.Helper()
	ids := make([][]string, len(batches))
	for n, batch := range batches {
		for _, e := range batch {
			if e.Attributes["id"] == "" {
				t.Errorf("an entry has no id: %v", e.form)
			}
			ids[n] = append(ids[n], e.Attributes["id"])
		}
	}
	return ids
}
