package redrive

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"time"
)

// Group are the letters of a queue that have one reason.
type Group struct {
	Reason string `json:"reason"`
	// Ranges says that these are on-failure documents, each of a range of the stream.
	Ranges  bool      `json:"ranges,omitempty"`
	Letters int       `json:"deadLetters"`
	Records int       `json:"records"`
	Oldest  time.Time `json:"oldest"` // when the first came into the queue
	Newest  time.Time `json:"newest"`
	// Example and Error are those of one dead letter, which stands at Sequence.
	Example  string `json:"example"`
	Error    string `json:"error,omitempty"`
	Sequence string `json:"sequence,omitempty"`
	Table    string `json:"table,omitempty"`
	// Errors are the different errors, the most frequent first, maxErrors at most. OtherErrors counts dead letters with others.
	Errors      []ErrorGroup `json:"errors,omitempty"`
	OtherErrors int          `json:"otherErrors,omitempty"`
}

// ErrorGroup are the dead letters of a Group that have one error.
type ErrorGroup struct {
	Error    string `json:"error"`
	Letters  int    `json:"deadLetters"`
	Example  string `json:"example"`
	Sequence string `json:"sequence"`
}

// maxErrors is how many different errors of one reason are kept.
const maxErrors = 100

// Groups collects letters by their reasons.
type Groups map[string]*Group

// Add adds a letter.
func (g Groups) Add(l Letter) {
	reason := l.Reason()
	of := g[reason]
	if of == nil {
		of = &Group{Reason: reason, Oldest: l.Sent, Newest: l.Sent}
		g[reason] = of
	}
	of.Letters++
	of.Records++
	if l.Range != nil {
		of.Ranges = true
		of.Records += l.Range.Records - 1
	}
	if l.Sent.Before(of.Oldest) {
		of.Oldest = l.Sent
	}
	if l.Sent.After(of.Newest) {
		of.Newest = l.Sent
	}
	// One with its data says more than one whose body is in S3.
	if of.Example == "" || l.Own != nil && l.Own.Body == nil && of.Table == "" {
		of.Example, of.Sequence = l.Example(), l.Sequence()
		if l.Own != nil {
			of.Error, of.Table = l.Own.Error, l.Own.Table
		}
	}
	if l.Own != nil {
		of.addError(l)
	}
}

var requestID = regexp.MustCompile(`,? ?\bRequestID: [0-9A-Za-z-]*`)

// addError counts a dead letter under its error.
func (of *Group) addError(l Letter) {
	// Each call of AWS has an id of its own, which makes no difference.
	text := requestID.ReplaceAllString(l.Own.Error, "")
	for i := range of.Errors {
		if of.Errors[i].Error == text {
			of.Errors[i].Letters++
			return
		}
	}
	if len(of.Errors) == maxErrors {
		of.OtherErrors++
		return
	}
	of.Errors = append(of.Errors, ErrorGroup{Error: text, Letters: 1, Example: l.Example(), Sequence: l.Sequence()})
}

// Sorted returns the groups, the largest first.
func (g Groups) Sorted() []Group {
	var all []Group
	for _, of := range slices.Collect(maps.Values(g)) {
		slices.SortStableFunc(of.Errors, func(a, b ErrorGroup) int { return cmp.Compare(b.Letters, a.Letters) })
		all = append(all, *of)
	}
	slices.SortFunc(all, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Records, a.Records), cmp.Compare(a.Reason, b.Reason))
	})
	return all
}
