package declaration

import (
	"errors"
	"testing"

	"sluice/shared/change"
)

// Fails if a fault is told at another place, in another order, or not at all.
func TestFaults(t *testing.T) {
	r := NewReader("f.yaml", map[string]string{"TABLE": "Scores", "EMPTY": ""})
	root, ok := r.Parse([]byte("b: ${NONE}\na: [x]\nc: ${EMPTY}\nd: maybe\nwhere: {k: {prefix: \"${TABLE}\"}, l: {suffix: x}}\nz: 1\n"))
	if !ok {
		t.Fatal(r.Err())
	}
	f := r.Fields(root, "file", "a", "b", "c", "d", "where")
	r.Text(f["a"], "a")
	r.Text(f["c"], "c")
	r.Boolean(f["d"], "d", true)
	conditions := r.Conditions(f["where"], "where")
	if c := conditions[0]; c.Attribute != "k" || !c.Prefix() || !c.Holds(change.S, "Scores of today") || c.Holds(change.S, "My Scores") || c.Holds(change.N, "Scores") {
		t.Errorf("the condition is %+v", c)
	}
	const want = `f.yaml:1:4: ${NONE} is no setting; there are: EMPTY, TABLE
f.yaml:2:4: a must be a single value, not a list
f.yaml:3:4: c is missing
f.yaml:4:4: d must be true or false, not "maybe"
f.yaml:5:38: where: l: unknown key "suffix"; there are: prefix, exists, above, atLeast, atMost, below, is
f.yaml:6:1: file: unknown key "z"; there are: a, b, c, d, where`
	err := r.Err()
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	if _, ok := errors.AsType[*Error](err); !ok {
		t.Errorf("%T holds no *Error", err)
	}
}
