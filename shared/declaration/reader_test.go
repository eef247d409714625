package declaration

import (
	"errors"
	"strings"
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
	if c := conditions[0]; c.Attribute.String() != "k" || !c.Prefix() || !c.Holds(change.S, "Scores of today") || c.Holds(change.S, "My Scores") || c.Holds(change.N, "Scores") {
		t.Errorf("the condition is %+v", c)
	}
	const want = `f.yaml:1:4: ${NONE} has no value; settings with a value: EMPTY, TABLE. A setting is declared in pipeline/settings.yaml, and each template passes it on
f.yaml:2:4: a must be a single value, not a list
f.yaml:3:4: c has no value
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

// A file without anything in it, and one with too much.
func TestFilesWithoutOneDocument(t *testing.T) {
	for text, want := range map[string]string{
		"": "f.yaml:1:1: the file is empty", "# nothing\n": "f.yaml:1:1: the file is empty", "---\n": "f.yaml:1:1: the file is empty",
		"a: 1\n---\nb: 1\n": "f.yaml:1:1: the file has 2 YAML documents; keep one",
	} {
		r := NewReader("f.yaml", nil)
		if _, ok := r.Parse([]byte(text)); ok || r.Err() == nil || r.Err().Error() != want {
			t.Errorf("%q: %v, want %s", text, r.Err(), want)
		}
	}
}

// A condition on an attribute without a name could never hold.
func TestConditionWithoutAName(t *testing.T) {
	r := NewReader("f.yaml", nil)
	root, _ := r.Parse([]byte(`{"": x}`))
	r.Conditions(root, "where")
	if err := r.Err(); err == nil || !strings.Contains(err.Error(), "no item has an attribute without a name") {
		t.Errorf("got %v", err)
	}
}

// A setting that doesn't end would be a table's name that no table has, and nothing would come of its changes.
func TestSettingWithoutAnEnd(t *testing.T) {
	for _, text := range []string{"a: ${", "a: ${TABLE", "a: x-${TABLE}-${TABLE"} {
		r := NewReader("f.yaml", map[string]string{"TABLE": "Scores"})
		if _, ok := r.Parse([]byte(text)); ok && r.Err() == nil || !strings.Contains(r.Err().Error(), "has no } after it; a setting is written ${NAME}") {
			t.Errorf("%q: got %v", text, r.Err())
		}
	}
}
