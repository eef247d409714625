package badges

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

// entry is one entry of a PublishBatch, as it goes over the wire.
type entry struct {
	form                     url.Values // its parameters, by what follows its number
	id, message, group, once string
	attributes               map[string]string
}

// size is what SNS counts, by its documentation.
func (e entry) size() int {
	size := len(e.message)
	for name, value := range e.attributes {
		size += len(name) + len("String") + len(value)
	}
	return size
}

const entriesPrefix = "PublishBatchRequestEntries.member."

// readEntries reads the entries of a PublishBatch.
func readEntries(body []byte) ([]entry, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	var entries []entry
	for n := 1; form.Has(fmt.Sprint(entriesPrefix, n, ".Id")); n++ {
		e := entry{form: url.Values{}, attributes: map[string]string{}}
		for key, values := range form {
			if rest, ok := strings.CutPrefix(key, fmt.Sprint(entriesPrefix, n, ".")); ok {
				e.form[rest] = values
			}
		}
		e.id, e.message = e.form.Get("Id"), e.form.Get("Message")
		e.group, e.once = e.form.Get("MessageGroupId"), e.form.Get("MessageDeduplicationId")
		for m := 1; e.form.Has(fmt.Sprint("MessageAttributes.entry.", m, ".Name")); m++ {
			attribute := fmt.Sprint("MessageAttributes.entry.", m, ".")
			e.attributes[e.form.Get(attribute+"Name")] = e.form.Get(attribute + "Value.StringValue")
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// entryFault is what becomes of one entry on the wire: SNS never sees it.
type entryFault struct {
	Code        string // empty: the answer doesn't mention the entry
	SenderFault bool
}

// line is the wire between a Topic and the real server. It keeps every batch, and
// injects what its functions say; nil ones say nothing.
type line struct {
	cut    func([]entry) wire.Fault // what befalls the call
	refuse func([]entry) string     // the code that the call is refused with
	fail   func(entry) *entryFault  // what befalls one entry, in an answer that is well otherwise
	during func() (after func())    // what happens before the call, and after it

	mu      sync.Mutex
	batches [][]entry
}

// seen returns the batches so far.
func (l *line) seen() [][]entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.batches
}

// RoundTrip implements http.RoundTripper.
func (l *line) RoundTrip(r *http.Request) (*http.Response, error) {
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
	if l.during != nil {
		defer l.during()()
	}
	if l.refuse != nil {
		if code := l.refuse(entries); code != "" {
			return wire.AnswerQuery(r, http.StatusBadRequest, code)
		}
	}
	under := &wire.Transport{}
	if l.cut != nil {
		under.Decide = func(wire.Call) wire.Fault { return l.cut(entries) }
	}
	if l.fail != nil {
		return l.failSome(r, body, entries, under)
	}
	return under.RoundTrip(withBody(r, body))
}

// failSome sends the entries that don't fail, and adds the others to the real answer.
func (l *line) failSome(r *http.Request, body []byte, entries []entry, under http.RoundTripper) (*http.Response, error) {
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
		fault := l.fail(e)
		if fault == nil {
			sent++
			for key, values := range e.form {
				form[fmt.Sprint(entriesPrefix, sent, ".", key)] = values
			}
		} else if fault.Code != "" {
			member := struct {
				XMLName xml.Name `xml:"member"`
				ID      string   `xml:"Id"`
				entryFault
				Message string
			}{ID: e.id, entryFault: *fault, Message: "injected by the test"}
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

// idsOf returns the ids of each batch's notices.
func idsOf(t *testing.T, batches [][]entry) [][]string {
	t.Helper()
	ids := make([][]string, len(batches))
	for n, batch := range batches {
		for _, e := range batch {
			if e.attributes["id"] == "" {
				t.Errorf("an entry has no id: %v", e.form)
			}
			ids[n] = append(ids[n], e.attributes["id"])
		}
	}
	return ids
}
