package mutant

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// An edit that fits nowhere, or in two places, would test something else than
// what its name says.
func TestMutantMustFitOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "source.go")
	if err := os.WriteFile(file, []byte("package p\n\nvar x = 1\n\nfunc f(a, b bool) int {\nif a {\n}\nif b {\n}\nreturn x\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for old, fits := range map[string]bool{"if a {": true, "if ": false, "if c {": false, "x = 1": false, "}\nreturn x": true, "int {\nif a": false} {
		_, err := overlay(t.TempDir(), []Mutant{{File: file, Old: old, New: "if false {"}})
		if (err == nil) != fits {
			t.Errorf("%q: %v, want that it fits: %v", old, err, fits)
		}
	}
}

// Every form of a function: only the chosen mutant may change what the function does, and only that function.
func TestMutantsOfOneBuild(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module example\n\ngo 1.26\n",
		"source.go": `package p

import "fmt"

type T struct{ n int }

func plain(a int, more ...int) int     { return a + len(more) }
func noResult(_ int, to *string)       { *to = "none" }
func (T) unnamed(int, string) string   { return "unnamed" }
func (t *T) method() (n int, err error) { n = t.n; return n, nil }
func generic[K comparable, V any](m map[K]V) int { return len(m) * 1 }

func all() string {
	var to string
	noResult(1, &to)
	n, _ := (&T{5}).method()
	return fmt.Sprint(plain(1, 2, 3), " ", to, " ", T{}.unnamed(1, ""), " ", n, " ", generic(map[string]int{"a": 1}))
}
`,
		"source_test.go": "package p\n\nimport \"testing\"\n\nfunc TestAll(t *testing.T) {\n\tt.Fatal(\"got\", all())\n}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	mutants := []Mutant{
		{Old: `a + len(more)`, New: `a - len(more)`},
		{Old: `len(more)`, New: `0`},
		{Old: `"none"`, New: `"some"`},
		{Old: `return "unnamed"`, New: `return "named"`},
		{Old: `"unnamed"`, New: `"other"`},
		{Old: `n = t.n;`, New: ``},
		{Old: `* 1`, New: `* 7`},
	}
	for i := range mutants {
		mutants[i].File = "source.go"
	}
	binary, err := compile(t.TempDir(), mutants)
	if err != nil {
		t.Fatal(err)
	}
	for number, want := range []string{"-1 none unnamed 5 1", "1 none unnamed 5 1", "3 some unnamed 5 1", "3 none named 5 1", "3 none other 5 1", "3 none unnamed 0 1", "3 none unnamed 5 7", "3 none unnamed 5 1"} {
		out, _ := process(t.Context(), binary, number, "-test.run=TestAll").CombinedOutput() // it fails to print
		if !strings.Contains(string(out), "got "+want) {
			t.Errorf("mutant %d: want %s:\n%s", number, want, out)
		}
	}
}
