package query

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
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
// first page.
func (r *Request) after() ([]any, error) {
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
	if err := decoder.Decode(&t); err != nil {
		return nil, wrong
	}
	if !bytes.Equal(t.Of, r.digest()) {
		return nil, fault("after", "this token is of another query, filter, sort or index; ask for the first page without one")
	}
	for _, value := range t.After {
		switch value.(type) {
		case nil, string, json.Number, bool:
		default:
			return nil, wrong
		}
	}
	if len(t.After) != max(len(r.Sort), 1)+1 {
		return nil, wrong
	}
	return t.After, nil
}
