package ops

import (
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"sluice/consumers/search/query"
	"sluice/shared/printable"
)

const (
	// lineWidth is how many columns of a terminal a line of a hit has, unless a value alone has more.
	lineWidth = 100
	// valueWidth is how many of a value are shown.
	valueWidth = 80
)

// pointed shows under the query where a fault is.
func pointed(err error, text string) error {
	wrong, ok := errors.AsType[*query.Error](err)
	if !ok || wrong.Column == 0 || strings.ContainsFunc(text, unicode.IsControl) {
		return err
	}
	return fmt.Errorf("%w\n  %s\n  %s^", err, text, strings.Repeat(" ", wrong.Column-1))
}

// printAnswer shows each hit in a few lines, then the facets and how fresh it all is.
func printAnswer(out io.Writer, r query.Request, a *query.Answer) error {
	for _, hit := range a.Hits {
		fields, err := shownFields(hit)
		if err != nil {
			return err
		}
		fmt.Fprintln(out, printable.Text(hit.ID))
		printWrapped(out, fields)
	}
	for _, f := range a.Facets {
		var counts []string
		for _, v := range f.Values {
			counts = append(counts, fmt.Sprintf("%s %d", printable.Text(v.Value), v.Count))
		}
		if f.Others > 0 {
			counts = append(counts, fmt.Sprintf("others %d", f.Others))
		}
		if f.Short > 0 {
			counts = append(counts, fmt.Sprintf("each up to %d more", f.Short))
		}
		fmt.Fprintf(out, "%s: %s\n", f.Field, strings.Join(counts, ", "))
	}
	for _, note := range a.Notes {
		fmt.Fprintf(out, "Note: %s.\n", note)
	}
	further := ""
	if r.After != "" {
		further = " more"
	}
	fmt.Fprintf(out, "%d%s of %v, %d ms; %s\n", len(a.Hits), further, a.Total, a.Took, freshness(a.Freshness))
	if a.Next != "" {
		fmt.Fprintf(out, "For the next page add --after %s\n", a.Next)
	}
	return nil
}

func freshness(f query.Freshness) string {
	if f.Newest.IsZero() {
		return "nothing is indexed yet"
	}
	age := time.Duration(f.Age) * time.Millisecond
	if age < time.Minute {
		return fmt.Sprintf("newest change indexed %.1f s ago", age.Seconds())
	}
	return fmt.Sprintf("newest change indexed %v ago", age.Round(time.Second))
}

// shownFields returns a document's fields as "name: value" in the document's order,
// what matched between « and ».
func shownFields(hit query.Hit) ([]string, error) {
	var fields []string
	if err := query.EachMember(hit.Source, func(m query.Member) error {
		value := string(m.Value)
		if m.Value[0] == '"' {
			if err := json.Unmarshal(m.Value, &value); err != nil {
				return err
			}
		}
		if marked := hit.Highlights[m.Name]; len(marked) > 0 {
			value = unmarked(marked)
		} else {
			value = printable.Cut(value, valueWidth+1)
		}
		fields = append(fields, printable.Text(fmt.Sprintf("%s: %s", m.Name, value)))
		return nil
	}); err != nil {
		return nil, fmt.Errorf("read document %s: %w", hit.ID, err)
	}
	for _, name := range slices.Sorted(maps.Keys(hit.Attributes)) {
		fields = append(fields, printable.Text(fmt.Sprintf("%s: %s", name, printable.Cut(string(hit.Attributes[name]), valueWidth+1))))
	}
	return fields, nil
}

// unmarked makes plain text of the parts of a value that matched.
func unmarked(parts []string) string {
	text := strings.NewReplacer(query.MarkStart, "«", query.MarkEnd, "»").Replace(strings.Join(parts, " … "))
	return html.UnescapeString(text)
}

func printWrapped(out io.Writer, fields []string) {
	line := ""
	for _, f := range fields {
		if line != "" && printable.Width(line)+printable.Width(f)+2 > lineWidth {
			fmt.Fprintln(out, line)
			line = ""
		}
		line += "  " + f
	}
	if line != "" {
		fmt.Fprintln(out, line)
	}
}
