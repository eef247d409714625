package ops

import (
	"os"
	"strings"
	"testing"
)

// The README's example of cases holds for its example of rules.
func TestReadmeCases(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	block := func(heading string) string {
		_, after, found := strings.Cut(string(text), "\n## "+heading+"\n")
		_, after, begun := strings.Cut(after, "```yaml\n")
		block, _, ended := strings.Cut(after, "```")
		if !found || !begun || !ended {
			t.Fatalf("README.md has no YAML below %q", heading)
		}
		return block
	}
	book := bookOf(t, block("Plays of several tables"))
	cases, err := OpenCases("README.md", []byte(block("Try rules")), nil)
	if err != nil {
		t.Fatal(err)
	}
	list, err := cases.Of(book)
	if err != nil || len(list) == 0 {
		t.Fatalf("%d cases, %v", len(list), err)
	}
	for _, c := range list {
		if mistakes := c.Run(book); len(mistakes) > 0 {
			t.Errorf("%s: %+v", c.Name, mistakes)
		}
	}
}
