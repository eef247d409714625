package document

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// Define gives the route's index its settings and mappings, as JSON.
func (r *Route) Define(definition []byte) error {
	mapping, err := readMapping(definition)
	if err != nil {
		return err
	}
	r.definition, r.mapping = definition, mapping
	return nil
}

// Aliases are the aliases of the index that people search.
func (r *Route) Aliases() map[string]any {
	return map[string]any{
		r.Index:        map[string]any{"filter": ShownFilter()},
		r.WriteAlias(): map[string]any{},
	}
}

// ShownFilter is the filter of the alias that people search: it hides tombstones.
func ShownFilter() any { return map[string]any{"bool": map[string]any{"must_not": TombstoneFilter()}} }

// Body is the request to create an index: the definition with Sluice's own fields, and aliases.
func (r *Route) Body(aliases map[string]any) (map[string]any, error) {
	var index map[string]any
	if err := json.Unmarshal(r.definition, &index); err != nil {
		return nil, fmt.Errorf("definition of index %s: %w", r.Index, err)
	}
	mappings := Object(index, "mappings")
	Object(mappings, "properties")[Field] = map[string]any{
		"dynamic": "strict",
		"properties": map[string]any{
			"time":    map[string]any{"type": "date_nanos"},
			"indexed": map[string]any{"type": "date_nanos"},
			"deleted": map[string]any{"type": "boolean"},
		},
	}
	Object(mappings, "properties")[ItemField] = map[string]any{"type": "object", "enabled": false}
	index["aliases"] = aliases
	return index, nil
}

// Object returns an object's member that is an object. It adds the member if there is none.
func Object(of map[string]any, name string) map[string]any {
	member, ok := of[name].(map[string]any)
	if !ok {
		member = map[string]any{}
		of[name] = member
	}
	return member
}

// TombstoneFilter is the query that finds tombstones.
func TombstoneFilter() map[string]any {
	return map[string]any{"term": map[string]any{Field + ".deleted": true}}
}

// Fingerprint returns a hash of everything that decides which documents an item gets: the route's declaration, the
// index's definition, and the scheme of ids. Programs with the same fingerprint make the same documents.
func (r *Route) Fingerprint() (string, error) { return r.fingerprint(idScheme) }

func (r *Route) fingerprint(idScheme int) (string, error) {
	body, err := r.Body(nil)
	if err != nil {
		return "", err
	}
	parts := []any{body, r.Source, r.where, r.keep, r.leaveOut, r.rename}
	if idScheme > 1 { // fingerprints of the first scheme are stored without it
		parts = append(parts, idScheme)
	}
	text, err := json.Marshal(parts)
	if err != nil {
		return "", err
	}
	hash := sha256.Sum256(text)
	return hex.EncodeToString(hash[:]), nil
}
