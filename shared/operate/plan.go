package operate

import (
	"cmp"
	"fmt"
	"io"

	"sluice/shared/printable"
)

// Plan says what a verb is about to write, and where.
type Plan struct {
	Verb  string `json:"verb"`  // as it is typed, such as "sluice rebuild revenue"
	Where string `json:"where"` // such as "AWS account 123456789012, region eu-west-1"
	Steps []Step `json:"steps"`
}

// Step is what a plan does to one destination.
type Step struct {
	Into string `json:"into"`           // such as "table Orders in eu-west-1"
	From string `json:"from,omitempty"` // such as "table Orders in us-east-1"
	// Write and Remove are how many items are written and deleted.
	Write  int `json:"write"`
	Remove int `json:"remove"`
	// About: the counts are DynamoDB's, which are some hours old on AWS.
	About bool `json:"about,omitempty"`
	// Held is how many items the destination has, of which Remove is a share.
	Held int `json:"held"`
	// Act is what else is done, such as "index players-1 is deleted".
	Act string `json:"act,omitempty"`
	// Notes are further lines for the reader.
	Notes []string `json:"notes,omitempty"`
}

// Empty reports whether the plan writes and deletes nothing for sure.
func (p Plan) Empty() bool {
	for _, s := range p.Steps {
		if s.About || s.Act != "" || s.Write > 0 || s.Remove > 0 {
			return false
		}
	}
	return true
}

// Print writes the plan for people.
func (p Plan) Print(out io.Writer) error {
	if _, err := fmt.Fprintf(out, "Plan of \"%s\" in %s:\n", p.Verb, p.Where); err != nil {
		return err
	}
	w, notes := printable.Table{MaxWidth: printable.Whole}, ""
	w.Row("  into", "from", "writes", "deletes", "holds")
	for _, s := range p.Steps {
		writes := fmt.Sprint(s.Write)
		if s.About {
			writes = "about " + writes
		}
		w.Row("  "+s.Into, cmp.Or(s.From, "-"), writes, s.Remove, s.Held)
		for _, note := range append([]string{s.Act}, s.Notes...) {
			if note != "" {
				notes += fmt.Sprintf("  %s: %s\n", s.Into, note)
			}
		}
	}
	if err := w.Flush(out); err != nil {
		return err
	}
	_, err := io.WriteString(out, notes)
	return err
}
