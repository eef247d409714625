package scaffold

import (
	"errors"
	"go/format"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/deploy/local/template"
)

// checkout returns a folder with what Make looks at.
func checkout(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	err := errors.Join(
		os.MkdirAll(filepath.Join(root, "consumers", "search"), 0o700),
		os.MkdirAll(filepath.Join(root, "deploy"), 0o700),
		copyFile(filepath.Join(root, "go.mod"), "../../go.mod"),
		copyFile(filepath.Join(root, "deploy", "pets.yaml"), "../../deploy/pets.yaml"),
		os.CopyFS(filepath.Join(root, "pipeline"), os.DirFS("../../pipeline")),
		copyFile(filepath.Join(root, "template.yaml"), "../../template.yaml"),
	)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func copyFile(to, from string) error {
	text, err := os.ReadFile(from)
	return errors.Join(err, os.WriteFile(to, text, 0o600))
}

// Whatever its name, a new consumer's files are formatted, and its template has all that the lint asks for. That they
// compile and pass their test, TestTutorial shows.
func TestMake(t *testing.T) {
	for i, name := range []string{"audit", "a", "zebra2", strings.Repeat("x", longest), "change", "types", "test", "linux", "function", "ops", "my-orders", "a-1-b"} {
		root := checkout(t)
		made, err := Make(root, Consumer{Name: Name(name), To: kinds[i%len(kinds)]})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range made {
			text, err := os.ReadFile(filepath.Join(root, "consumers", name, f.Path))
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(f.Path, ".go") {
				if formatted, err := format.Source(text); err != nil || string(formatted) != string(text) {
					t.Errorf("%s of %s isn't formatted: %v", f.Path, name, err)
				}
			}
		}
		read, err := template.Read(filepath.Join(root, "consumers", name, "template.yaml"))
		if err == nil {
			err = read.Check(168 * time.Hour)
		}
		if err != nil {
			t.Errorf("the template of %s: %v", name, err)
		}
		if whole, err := template.Read(filepath.Join(root, "template.yaml")); err != nil || !slices.Contains(whole.OutputNames(), Name(name).Resource()+"Stack") {
			t.Errorf("template.yaml has no stack of %s: %v", name, err)
		}
	}
}

// The template has every line that those of the consumers that ship have in common, but for the horizon: what a new
// consumer writes has to tell by itself that it was written, and is kept for good.
func TestTemplateHasWhatTheOthersHave(t *testing.T) {
	root := checkout(t)
	if _, err := Make(root, Consumer{Name: Name("audit"), To: DynamoDB}); err != nil {
		t.Fatal(err)
	}
	ours := topics(t, filepath.Join(root, "consumers", "audit", "template.yaml"))
	common := topics(t, "../../consumers/leaderboard/template.yaml")
	for _, name := range []string{"badges", "replication", "search"} {
		theirs := topics(t, filepath.Join("../../consumers", name, "template.yaml"))
		common = slices.DeleteFunc(common, func(line string) bool { return !slices.Contains(theirs, line) })
	}
	if len(common) < 100 {
		t.Errorf("the templates have only %d lines in common; is one missing?", len(common))
	}
	const horizon = "          HORIZON: !FindInMap [ByRetention, !Ref RetentionHours, Horizon]"
	for _, line := range common {
		if !slices.Contains(ours, line) && line != horizon {
			t.Errorf("a new consumer's template lacks what all others have: %s", line)
		}
	}
}

// topics returns a template's lines without its texts and comments.
func topics(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(emptied(text))) { // without what is declared
		line = strings.TrimRight(line, "\n")
		if trimmed := strings.TrimSpace(line); trimmed != "" && !strings.HasPrefix(trimmed, "#") && !strings.HasPrefix(trimmed, "Description:") {
			lines = append(lines, line)
		}
	}
	return lines
}

func TestRefusedNames(t *testing.T) {
	for name, why := range map[string]string{
		"": "small letters", "Audit": "small letters", "audit--trail": "small letters", "audit-": "small letters", "-audit": "small letters", "audit_trail": "small letters", "2nd": "small letters",
		"../audit": "small letters", "a/b": "small letters", "prüfung": "small letters", ".audit": "small letters", "audit\n": "small letters",
		strings.Repeat("x", longest+1): "at most 30",
		"fu-nc":                        "means something else",
		"func":                         "means something else", "string": "means something else", "error": "means something else", "main": "means something else",
		"internal": "means something else", "vendor": "means something else", "testdata": "means something else", "settings": "means something else",
		"consumer": "imports a package", "env": "imports a package",
		"sea-rch": "has the same name, search",
		"search":  "is there already", "pets": "deploy/pets.yaml is there already", "replica": "the local stack",
	} {
		root := checkout(t)
		_, err := Make(root, Consumer{Name: Name(name), To: DynamoDB})
		refused, ok := errors.AsType[*NameError](err)
		if !ok || refused.Name != name || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: %v, want that it can't be a name: %s", name, err, why)
		}
		entries, err := os.ReadDir(filepath.Join(root, "consumers"))
		if err != nil || len(entries) != 1 {
			t.Errorf("%q: consumers has %v, %v, want only search", name, entries, err)
		}
	}
}

// What fails half-way leaves nothing behind.
func TestMakeWholeOrNotAtAll(t *testing.T) {
	root := t.TempDir()
	if _, err := Make(root, Consumer{Name: Name("audit"), To: DynamoDB}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a folder consumers: %v", err)
	}
	if entries, err := os.ReadDir(root); err != nil || len(entries) != 0 {
		t.Errorf("%v were left behind, %v", entries, err)
	}
}

// A list or template that was edited beyond recognition is left alone, and no consumer is made.
func TestMakeWithoutAList(t *testing.T) {
	for path, text := range map[string]string{"pipeline/ops/ops.go": "package ops\n", "template.yaml": "Resources: {}\n"} {
		root := checkout(t)
		if err := os.WriteFile(filepath.Join(root, filepath.FromSlash(path)), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Make(root, Consumer{Name: Name("audit"), To: DynamoDB}); err == nil || !strings.Contains(err.Error(), "add audit to "+path) {
			t.Errorf("%s: %v, want an error that names it", path, err)
		}
		if _, err := os.Stat(filepath.Join(root, "consumers", "audit")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: consumers/audit is there: %v", path, err)
		}
		if now, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(path))); err != nil || string(now) != text {
			t.Errorf("%s: it was changed to %s, %v", path, now, err)
		}
	}
}
