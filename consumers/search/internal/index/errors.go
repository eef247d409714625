package index

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// StatusError is an answer of OpenSearch to a whole request with another status than 200.
type StatusError struct {
	Endpoint string
	Request  string // method and path
	Status   int
	Body     string // the start of it
}

func (e *StatusError) Error() string {
	hint := ""
	switch e.Status {
	case http.StatusUnauthorized:
		hint = "; it doesn't know who asks: see SEARCH_AUTH and SEARCH_SECRET_ARN, or SEARCH_USER and SEARCH_PASSWORD"
	case http.StatusForbidden:
		hint = "; it forbids that: the function's role needs es:ESHttpPost and es:ESHttpPut on the domain, the user the right to write to the index"
	}
	return fmt.Sprintf("%s at %s: %d %s%s: %s", e.Request, e.Endpoint, e.Status, http.StatusText(e.Status), hint, e.Body)
}

// DocumentError is OpenSearch's refusal of one document.
type DocumentError struct {
	Index, ID string
	Status    int
	Cause     Cause
}

func (e *DocumentError) Error() string {
	hint := ""
	if e.Cause.Type == "security_exception" {
		hint = "; it forbids that: the user, or the one that the function's role is mapped to, needs the right to write to the index"
	}
	return fmt.Sprintf("document %s of index %s: %d %s%s", e.ID, e.Index, e.Status, e.Cause, hint)
}

// Cause is OpenSearch's reason for a refusal.
type Cause struct {
	Type         string
	Reason       string
	CausedBy     *Cause                   `json:"caused_by"`
	FailedShards []struct{ Reason Cause } `json:"failed_shards"`
}

// Among reports whether the cause or what it goes back to is of one of the types.
func (c *Cause) Among(types ...string) bool {
	if c == nil {
		return false
	}
	for _, shard := range c.FailedShards {
		if shard.Reason.Among(types...) {
			return true
		}
	}
	return slices.Contains(types, c.Type) || c.CausedBy.Among(types...)
}

func (c Cause) String() string {
	// The further lines are Java's stack.
	reason, _, _ := strings.Cut(c.Reason, "\n")
	text := c.Type + ": " + reason
	if c.CausedBy != nil {
		text += ": " + c.CausedBy.String()
	}
	return text
}
