package view

import (
	"testing"

	"sluice/shared/declaration/declarationtest"
)

// Each faulty file with every error that it should have. Fails if a check is
// left out, stops at the first fault, or names another place.
func TestFaultsOfAFile(t *testing.T) {
	declarationtest.Faults(t, 7, func(name string, text []byte) error {
		_, err := Parse(name, text, map[string]string{"SCORE_TABLE": "Scores"})
		return err
	})
}

// A view over another's items is fine as long as nothing leads back, and so are
// items beside those viewed, in the same table.
func TestViewsThatDoNotFeedThemselves(t *testing.T) {
	for name, text := range map[string]string{
		"a filter that its items don't match": `
  - name: v
    from: {table: T, where: {entityType: ACTIVITY}}
    into: {table: T, key: {PK: "PET#{petId}", SK: "SUMMARY#{petId}"}}
    count: n`,
		"a key prefix of its own": `
  - name: v
    from: {table: T, where: {PK: {prefix: "PET#"}}}
    into: {table: T, key: {PK: "SUM#{petId}", SK: all}}
    count: n`,
		"a filter on a number that it writes": `
  - name: v
    from: {table: T, where: {n: "5"}}
    into: {table: T, key: {PK: "{PK}", SK: all}}
    count: n`,
		"a view of a view": `
  - name: v
    from: {table: T}
    into: {table: U, key: {PK: "{PK}"}}
    sum: {n: n}
  - name: w
    from: {table: U}
    into: {table: V, key: {PK: "all"}}
    sum: {n: n}`,
	} {
		if _, err := Parse("views.yaml", []byte("views:"+text+"\n"), nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
