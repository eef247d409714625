package query

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strconv"
)

// token says where a page ended. It holds sort values, so it tells who reads it no
// more than the page did, and a forged one can do no more than begin elsewhere.
type token struct {
	Of    []byte `json:"of"`    // the digest of what was asked
	After []any  `json:"after"` // the last hit's sort values
}

// digest tells apart what is asked, whatever the page.
func (r *Request) digest() []byte {
	asked, err := json.Marshal([]any{r.Index, r.Text, r.Filters, r.Sort})
	if err != nil {
		panic(err) // they are texts
	}
	sum := sha256.Sum256(asked)
	return sum[:12]
}

func (r *Request) token(after []any) (string, error) {
	written, err := json.Marshal(token{r.digest(), after})
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(written), nil
}

// after returns the sort values of the hit after which the page begins; nil: the
// first page. Each must be one that OpenSearch gives for its field: it answers others
// with errors that look like its own.
func (r *Request) after(f fields) ([]any, error) {
	if r.After == "" {
		return nil, nil
	}
	wrong := fault("after", "this is no token of an earlier answer")
	written, err := base64.RawURLEncoding.DecodeString(r.After)
	if err != nil {
		return nil, wrong
	}
	var t token
	decoder := json.NewDecoder(bytes.NewReader(written))
	decoder.UseNumber() // whole numbers beyond 2^53, such as times in nanoseconds
	if err := decoder.Decode(&t); err != nil || decoder.More() {
		return nil, wrong
	}
	if !bytes.Equal(t.Of, r.digest()) {
		return nil, fault("after", "this token is of another query, filter, sort or index; ask for the first page without one")
	}
	if len(t.After) != max(len(r.Sort), 1)+1 {
		return nil, wrong
	}
	last := len(t.After) - 1
	for i, value := range t.After[:last] {
		if len(r.Sort) == 0 {
			if !isNumber(value) { // the score
				return nil, wrong
			}
			continue
		}
		one, err := f.sortable(r.Sort[i].Field)
		if err != nil {
			return nil, fault("sort", "%v", err)
		}
		if !one.sorts(value) {
			return nil, wrong
		}
	}
	if _, ok := t.After[last].(string); !ok { // the document's id
		return nil, wrong
	}
	return t.After, nil
}

// sorts reports whether OpenSearch may give a value as the sort value of a hit.
func (f field) sorts(value any) bool {
	switch f.class {
	case keyword:
		_, text := value.(string)
		return text || value == nil // nil: the hit has no value
	case number:
		held := numberTypes[f.kind]
		if !held.whole {
			return isNumber(value) || value == "Infinity" || value == "-Infinity" // of hits without a value
		}
		return isWhole(value)
	case date, boolean:
		return isWhole(value)
	}
	return false
}

// isNumber reports whether a value is a number that a double holds.
func isNumber(value any) bool {
	n, _ := value.(json.Number)
	_, err := strconv.ParseFloat(string(n), 64)
	return err == nil && len(n) <= 64
}

// isWhole reports whether a value is a whole number that a long holds.
func isWhole(value any) bool {
	n, _ := value.(json.Number)
	_, err := strconv.ParseInt(string(n), 10, 64)
	return err == nil
}
