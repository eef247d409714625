package view

import (
	"strings"
	"testing"

	"sluice/shared/change"
	"sluice/shared/consumertest"
	"sluice/shared/declaration"
)

const limited = `
views:
  - name: limited
    from: {table: Orders}
    into:
      table: Totals
      key: {Part: "p#{Id}", Level: {number: "{Level}"}}
      group: "{Id}#{Level}"
    count: Count
`

// limitedTarget returns the key of the view's item as text, its group, and the error of the change.
func limitedTarget(t *testing.T, id, level string) (key, group string, err error) {
	t.Helper()
	views, err := Parse("views.yaml", []byte(limited), nil)
	if err != nil {
		t.Fatal(err)
	}
	item := consumertest.Item{"Id": consumertest.S(id), "Level": consumertest.S(level)}
	c, err := change.Parse(consumertest.Change{Table: "Orders", Time: consumertest.Arrival, Keys: consumertest.Item{"Id": item["Id"]}, New: item}.Record())
	if err != nil {
		t.Fatal(err)
	}
	parts, err := views[0].Contributions(c, horizon)
	if err != nil {
		return "", "", err
	}
	_, key = declaration.TypedOf(parts[0].Target.Key["Level"])
	return key, parts[0].Target.Group, nil
}

// A group is a key of the ledger, so it is never empty and has at most 2,048 bytes. Fails if such a group is written to the
// ledger: DynamoDB refuses it once the item has taken 64 changes, and no later change is applied.
func TestGroupPastTheLimit(t *testing.T) {
	for _, test := range []struct {
		id  string
		own bool
	}{{"a", true}, {strings.Repeat("x", 2046), true}, {strings.Repeat("x", 2047), false}, {"//a", false}} {
		_, group, err := limitedTarget(t, test.id, "1")
		if err != nil || (group == test.id+"#1") != test.own || group == "" || len(group) > 2048 {
			t.Errorf("id of %d bytes: group of %d bytes %.40q, %v", len(test.id), len(group), group, err)
		}
	}
}

// A key's number may be made of a text, which holds anything. Fails if 1E+999999999 is written out, which takes a
// gigabyte, or if a number that DynamoDB takes is rejected.
func TestKeyNumberLimits(t *testing.T) {
	digits := strings.Repeat("9", 38)
	for _, level := range []string{"1", "-0", "007", ".5", "1e5", digits, "-" + digits, "1E-130", "9.9E+125", strings.Repeat("0", 100) + "1"} {
		if _, _, err := limitedTarget(t, "a", level); err != nil {
			t.Errorf("%s: %v", level, err)
		}
	}
	for _, level := range []string{"", "x", digits + "9", "1E+126", "1E-131", "1E+999999999", "1E-999999999", "1E+99999999999999"} {
		if key, _, err := limitedTarget(t, "a", level); err == nil || !strings.Contains(err.Error(), "Level") {
			t.Errorf("%s makes the key %.40s, %v; want an error that names the attribute", level, key, err)
		}
	}
}
