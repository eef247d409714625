package ops

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sluice/consumers/search/internal/document"
)

// ReindexPlan is what a reindex would do.
type ReindexPlan struct {
	Route   string `json:"route"`
	From    string `json:"from"`
	To      string `json:"to"`
	Resumes bool   `json:"resumes"` // it would resume an index that an earlier run began
	// Refused is why it can't resume that index; see AbortReindex.
	Refused string        `json:"refused,omitempty"`
	Items   int           `json:"items"` // about how many the table has, as DynamoDB counted them in the last hours
	Changes []FieldChange `json:"changes"`
	Left    []string      `json:"left"` // indexes of earlier times that nobody searches
}

// FieldChange is a difference between two mappings.
type FieldChange struct {
	Field  string `json:"field"`
	Before string `json:"before"` // "": there was none
	After  string `json:"after"`  // "": there is none
}

// PlanReindex says what Reindex with so many segments would do. It changes nothing.
func (p *Operator) PlanReindex(ctx context.Context, segments int) (ReindexPlan, error) {
	if err := p.source.Open(ctx); err != nil {
		return ReindexPlan{}, err
	}
	there, err := p.findIndexes(ctx)
	if err != nil {
		return ReindexPlan{}, err
	}
	before, err := p.client.mappings(ctx, there.current)
	if err != nil {
		return ReindexPlan{}, err
	}
	after, err := p.Route.Body(nil)
	if err != nil {
		return ReindexPlan{}, err
	}
	plan := ReindexPlan{
		Route: p.Route.Name, From: there.current, To: there.next, Resumes: there.next != "", Items: p.source.Count, Left: there.left(),
		Changes: compareMappings(before, document.Object(after, "mappings")),
	}
	if plan.To == "" {
		plan.To = p.Route.IndexName(there.last + 1)
		return plan, nil
	}
	begun := journal{Operator: p, index: there.next, key: reindexKey}
	if err := begun.load(ctx); err != nil {
		return plan, err
	}
	mine, err := newCheckpoint(p.Route, segments)
	if err != nil {
		return plan, err
	}
	if err := begun.checkpoint.fits(mine, p.Route, there.next); err != nil {
		plan.Resumes, plan.Refused = false, err.Error()
	}
	return plan, nil
}

// compareMappings returns the differences of two mappings, by field.
func compareMappings(before, after map[string]any) []FieldChange {
	b, a := fields(before), fields(after)
	both := maps.Clone(b)
	maps.Copy(both, a)
	var changes []FieldChange
	for _, field := range slices.Sorted(maps.Keys(both)) {
		if b[field] != a[field] {
			changes = append(changes, FieldChange{Field: field, Before: b[field], After: a[field]})
		}
	}
	return changes
}

// fields returns how each field of a mapping is mapped, as JSON.
func fields(mapping map[string]any) map[string]string {
	found := map[string]string{}
	var visit func(path string, of map[string]any)
	visit = func(path string, of map[string]any) {
		own := maps.Clone(of)
		delete(own, "_meta")
		// OpenSearch returns it as text, whatever it was.
		if dynamic, ok := own["dynamic"]; ok {
			own["dynamic"] = fmt.Sprint(dynamic)
		}
		inner, _ := own["properties"].(map[string]any)
		delete(own, "properties")
		if len(own) > 0 || path != "" && inner == nil {
			text, err := json.Marshal(own)
			if err != nil {
				panic(err) // it was read as JSON
			}
			found[path] = string(text)
		}
		for name, field := range inner {
			if field, ok := field.(map[string]any); ok {
				visit(strings.TrimPrefix(path+"."+name, "."), field)
			}
		}
	}
	visit("", mapping)
	return found
}
