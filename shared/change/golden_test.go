package change

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/shared/consumertest/golden"
)

// beside is the golden file of a JSON file.
func beside(path string) string { return strings.TrimSuffix(path, ".json") + ".golden" }

// each calls f with every file of a directory of testdata, as a subtest.
func each(t *testing.T, dir string, f func(t *testing.T, path string, data []byte)) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", dir, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in testdata/%s: %v", dir, err)
	}
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(path), ".json"), func(t *testing.T) { f(t, path, data) })
	}
}

func TestGolden(t *testing.T) {
	each(t, "good", func(t *testing.T, path string, data []byte) {
		c, err := Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		golden.Compare(t, beside(path), describe(c))
	})
}

func TestGoldenBad(t *testing.T) {
	each(t, "bad", func(t *testing.T, path string, data []byte) {
		c, err := Parse(data)
		var wrong *DecodeError
		if !errors.As(err, &wrong) || c != nil {
			t.Fatalf("Parse = %v, %v, want a *DecodeError", c, err)
		}
		if rest := string(data[wrong.Offset:]); !strings.HasPrefix(rest, wrong.Excerpt) {
			t.Errorf("the excerpt %q is not what stands at byte %d", wrong.Excerpt, wrong.Offset)
		}
		golden.Compare(t, beside(path), err.Error()+"\n")
	})
}

// describe writes everything that a change says, for people.
func describe(c *Change) string {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-9s %s\n", name, fmt.Sprintf(format, args...))
	}
	line("kind", "%s", c.Kind)
	line("table", "%s", c.Table)
	line("region", "%s", c.Region)
	line("event", "%s", c.EventID)
	line("time", "%s", c.Time().Format(time.RFC3339Nano))
	line("version", "%d from %s", c.Version, c.Precision)
	line("identity", "%q %q, by TTL: %t", c.Identity.Type, c.Identity.PrincipalID, c.ByTTL())
	line("size", "%d", c.SizeBytes)
	line("item", "%q", c.ItemKey())
	line("id", "%s", c.ID())
	for _, image := range []struct {
		name string
		Image
	}{{"keys", c.Keys}, {"new", c.New}, {"old", c.Old}} {
		if !image.Exists() {
			line(image.name, "absent")
			continue
		}
		line(image.name, "%d attributes", image.Len())
		for name, v := range image.All() {
			describeValue(&b, "  ", fmt.Sprintf("%q", name), v)
		}
		line("  json", "%s", image.AppendJSON(nil))
	}
	return b.String()
}

func describeValue(b *strings.Builder, indent, name string, v Value) {
	fmt.Fprintf(b, "%s%s %s", indent, name, v.Type())
	switch v.Type() {
	case S:
		fmt.Fprintf(b, " %q\n", v.Text())
	case N:
		fmt.Fprintf(b, " %s\n", v.Text())
	case B:
		fmt.Fprintf(b, " % x\n", v.Bytes())
	case BOOL:
		fmt.Fprintf(b, " %t\n", v.Bool())
	case NULL:
		b.WriteByte('\n')
	case M:
		fmt.Fprintf(b, " %d\n", v.Len())
		for name, member := range v.Map() {
			describeValue(b, indent+"  ", fmt.Sprintf("%q", name), member)
		}
	default:
		fmt.Fprintf(b, " %d\n", v.Len())
		for member := range v.List() {
			describeValue(b, indent+"  ", "-", member)
		}
	}
}
