package index

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"

	"github.com/opensearch-project/opensearch-go/v2/opensearchapi"

	"sluice/consumers/search/internal/document"
	"sluice/shared/change"
	"sluice/shared/consumer"
)

// MaxBulk is the largest bulk request in bytes, unless one document alone is larger. Small domains refuse more than 10
// MiB.
const MaxBulk = 9 << 20

// Operation is the write of one document. Err is its outcome once the write has returned.
type Operation struct {
	Route    *document.Route
	ID       string
	Version  int64
	Document []byte // one line
	Reach    Reach
	Err      error // the outcome
	Tie      bool  // another change of its time was there
	next     bool  // the answer says that the route has a next index
}

// Reach says which of a route's indexes a document is written to.
type Reach uint8

const (
	// ToCurrent is the index in place. The answer says whether there is a next one.
	ToCurrent Reach = iota
	// ToBoth is the index in place and the next one, if it exists.
	ToBoth
	// ToNext is only the next index.
	ToNext
)

// aliases returns the aliases that the document is written to.
func (o *Operation) aliases() []string {
	switch o.Reach {
	case ToBoth:
		return []string{o.Route.WriteAlias(), o.Route.NextAlias()}
	case ToNext:
		return []string{o.Route.NextAlias()}
	}
	return []string{o.Route.WriteAlias()}
}

// ErrNoIndex is the outcome of an operation whose alias doesn't exist.
var ErrNoIndex = errors.New("the index isn't there")

// appendTo appends the operation's lines to the body of a bulk request.
func (o *Operation) appendTo(dst []byte) []byte {
	for _, alias := range o.aliases() {
		dst = append(dst, `{"index":{"_index":"`...)
		dst = append(append(dst, alias...), `","_id":`...)
		dst = change.AppendText(dst, o.ID)
		dst = append(dst, `,"version":`...)
		dst = strconv.AppendInt(dst, o.Version, 10)
		dst = append(dst, `,"version_type":"external"}}`+"\n"...)
		dst = append(append(dst, o.Document...), '\n')
	}
	return dst
}

// actionSize is about how many bytes the action line of an operation has, without the id.
const actionSize = 160

// size is about how many bytes the operation takes in a bulk request.
func (o *Operation) size() int {
	size := actionSize + len(o.ID) + len(o.Document)
	if o.Reach == ToBoth {
		return 2 * size
	}
	return size
}

// WriteWithRetry writes the documents. It repeats those that OpenSearch can't take for a while (429, 5xx), after
// growing, random pauses, as often as the client's retryer says.
func (c *Client) WriteWithRetry(ctx context.Context, operations []*Operation) {
	retryer := c.Retryer()
	for attempt := 1; ; attempt++ {
		c.sendInChunks(ctx, operations)
		operations = slices.DeleteFunc(slices.Clone(operations), func(o *Operation) bool { return !o.isDelayed() })
		if len(operations) == 0 || !backOff(ctx, retryer, attempt, operations[0].Err) {
			return
		}
	}
}

// isDelayed reports whether OpenSearch took the request but can't take this document yet.
func (o *Operation) isDelayed() bool {
	_, ok := errors.AsType[*DocumentError](o.Err)
	return ok && isTransient(o.Err)
}

// sendInChunks writes the documents in requests of at most MaxBulk bytes.
func (c *Client) sendInChunks(ctx context.Context, operations []*Operation) {
	for len(operations) > 0 {
		n, size := 0, 0
		for n < len(operations) && (n == 0 || size+operations[n].size() <= MaxBulk) {
			size += operations[n].size()
			n++
		}
		c.sendBulk(ctx, operations[:n])
		operations = operations[n:]
	}
}

// sendBulk writes the documents with one request. If the server refuses the request as too large, it halves it.
func (c *Client) sendBulk(ctx context.Context, operations []*Operation) {
	asked := routesToAsk(operations)
	size := len(asked) * actionSize
	for _, o := range operations {
		size += o.size()
	}
	body := make([]byte, 0, size)
	for _, o := range operations {
		body = o.appendTo(body)
	}
	for _, r := range asked {
		body = appendQuestion(body, r.NextAlias())
	}
	requireAlias := true
	answer, err := c.Do(ctx, "bulk request", func() opensearchapi.Request {
		return opensearchapi.BulkRequest{Body: bytes.NewReader(body), RequireAlias: &requireAlias, Timeout: c.Await, FilterPath: answered}
	})
	if refused, ok := errors.AsType[*StatusError](err); ok && refused.Status == http.StatusRequestEntityTooLarge {
		if half := len(operations) / 2; half > 0 {
			c.sendBulk(ctx, operations[:half])
			c.sendBulk(ctx, operations[half:])
			return
		}
		err = consumer.Reject(fmt.Errorf("index %s: the document of %d bytes is more than OpenSearch takes: %w", operations[0].Route.Index, len(body), err))
	}
	if err == nil {
		err = readBulkAnswer(answer, operations, asked)
	}
	if err != nil {
		failed := err
		if consumer.OutcomeOf(err) == consumer.Retry {
			failed = &RequestError{err}
		}
		for _, o := range operations {
			o.Err = failed
		}
	}
}

// RequestError is the error of a whole request: the outcomes of its documents are unknown.
type RequestError struct{ err error }

func (e *RequestError) Error() string { return e.err.Error() }

func (e *RequestError) Unwrap() error { return e.err }

// answered limits the answer to what itemAnswer reads, a third of the whole.
// https://docs.opensearch.org/latest/api-reference/common-parameters/
var answered = []string{"items.*._index", "items.*._id", "items.*.status", "items.*.error"}

// itemAnswer is one document's part of the answer to a bulk request.
type itemAnswer struct {
	Index  string `json:"_index"` // the alias if it wasn't found, else what is behind it
	ID     string `json:"_id"`
	Status int
	Error  *Cause
}

// readBulkAnswer sets each operation's outcome, and whether the routes that were asked about are being reindexed.
func readBulkAnswer(answer []byte, operations []*Operation, asked []*document.Route) error {
	var all struct {
		Items []struct{ Index, Update itemAnswer }
	}
	if err := json.Unmarshal(answer, &all); err != nil {
		return fmt.Errorf("read the answer to a bulk request: %w", err)
	}
	documents := 0
	for _, o := range operations {
		documents += len(o.aliases())
	}
	if len(all.Items) != documents+len(asked) {
		return fmt.Errorf("a bulk request with %d documents is answered for %d", documents, len(all.Items)-len(asked))
	}
	at := 0
	for _, o := range operations {
		for range o.aliases() {
			if id := all.Items[at].Index.ID; id != o.ID {
				return fmt.Errorf("a bulk request is answered for document %s in the place of %s", id, o.ID)
			}
			at++
		}
	}
	found := map[*document.Route]bool{}
	for i, r := range asked {
		found[r] = isReindexing(r, all.Items[documents+i].Update)
	}
	at = 0
	for _, o := range operations {
		o.next = found[o.Route]
		var parts []error
		for _, alias := range o.aliases() {
			err := o.outcome(alias, all.Items[at].Index)
			at++
			if o.Reach == ToBoth && alias == o.Route.NextAlias() {
				o.next = !errors.Is(err, ErrNoIndex)
				if !o.next {
					continue // all that there is has the document
				}
			}
			parts = append(parts, err)
		}
		if o.Err = parts[0]; len(parts) > 1 {
			o.Err = consumer.Combine(parts)
		}
	}
	return nil
}

// outcome returns the outcome of the document at an alias: nil, Duplicate, Stale, a rejection, or an error to retry.
// Everything but success, a conflict and a refusal of the document for good is retried: 429 and 5xx first by
// WriteWithRetry, then, like rights and blocks (401, 403), with the change's next delivery.
func (o *Operation) outcome(alias string, a itemAnswer) error {
	if a.Error == nil && (a.Status == http.StatusOK || a.Status == http.StatusCreated) {
		return nil
	}
	refused := a.refused(o.ID)
	switch {
	case a.Status == http.StatusConflict:
		return o.versionConflict(refused.Cause.Reason)
	case a.Status == http.StatusNotFound:
		return ErrNoIndex
	case refusal(a.Status) && a.Index != alias:
		// The document's fault: a fault of the alias would have the alias' name.
		return consumer.Reject(refused)
	}
	return refused
}

// refused returns the answer as the refusal of a document.
func (a itemAnswer) refused(id string) *DocumentError {
	e := &DocumentError{Index: a.Index, ID: id, Status: a.Status, Cause: Cause{Type: "no reason"}}
	if a.Error != nil {
		e.Cause = *a.Error
	}
	return e
}

// refusal reports whether a status means that the document will never be taken. Missing rights, blocks and overload end
// some day.
func refusal(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusRequestTimeout, http.StatusTooManyRequests:
		return false
	}
	return status/100 == 4
}

var currentVersion = regexp.MustCompile(`current version \[(\d+)\]`)

// versionConflict returns the outcome of a document that meets one of the same or a newer version. Only the text of the
// reason has the other one's version. If OpenSearch words it differently some day, duplicates are counted as stale,
// which changes nothing else.
func (o *Operation) versionConflict(reason string) error {
	match := currentVersion.FindStringSubmatch(reason)
	if match == nil {
		return consumer.Stale
	}
	there, err := strconv.ParseInt(match[1], 10, 64)
	if err != nil {
		return consumer.Stale
	}
	if there == o.Version {
		return consumer.Duplicate
	}
	o.Tie = document.Tie(there, o.Version)
	return consumer.Stale
}
