package cli

import (
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// root is the checkout.
const root = ".."

// The tests that the documents name exist. A row of the README stands word for word in the document that it is taken from.
func TestProofsExist(t *testing.T) {
	proofs := findProofs(t)
	readme := read(t, "README.md")
	whole := readme + read(t, "docs/guarantees.md") + read(t, "docs/figures.md")
	if named := proofs.check(t, "README.md, docs/guarantees.md and docs/figures.md", ".", whole); named < 50 {
		t.Errorf("only %d tests are named", named)
	}
	rows := regexp.MustCompile("(?m)^\\|.*(`Test|make bench|go test).*\\|$").FindAllString(readme, -1)
	if len(rows) < 20 {
		t.Errorf("the README has only %d rows of guarantees and figures", len(rows))
	}
	for _, row := range rows {
		if strings.Count(whole, row+"\n") != 2 {
			t.Errorf("not word for word in docs/guarantees.md or docs/figures.md: %s", row)
		}
	}
}

// ARCHITECTURE.md names only what exists: tests, files, and functions in these files. Each of its invariants names a test.
func TestArchitecture(t *testing.T) {
	text := read(t, "ARCHITECTURE.md")
	findProofs(t).check(t, "ARCHITECTURE.md", ".", text)

	paths := map[string]bool{}
	for _, found := range regexp.MustCompile(`\b(cli|cmd|consumers|deploy|docs|pipeline|shared|tools)/[\w*./-]*`).FindAllString(text, -1) {
		paths[strings.TrimRight(found, "./")] = true
	}
	for _, found := range regexp.MustCompile("`([\\w*./-]+\\.(go|md|mod|yaml|yml))`").FindAllStringSubmatch(text, -1) {
		paths[found[1]] = true
	}
	if len(paths) < 50 {
		t.Errorf("only %d paths are named", len(paths))
	}
	for name := range paths {
		if there, err := filepath.Glob(filepath.Join(root, name)); err != nil || len(there) == 0 {
			t.Errorf("%s is named, but it doesn't exist", name)
		}
	}

	pointers := regexp.MustCompile("`([\\w./-]+\\.go)` \\((`[^)]*`)\\)").FindAllStringSubmatch(text, -1)
	if len(pointers) < 10 {
		t.Errorf("only %d files are named with what is in them", len(pointers))
	}
	for _, pointer := range pointers {
		file := read(t, pointer[1])
		for _, name := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(pointer[2], -1) {
			short := name[1][strings.LastIndex(name[1], ".")+1:]
			if !regexp.MustCompile(`(?m)^(func (\([^)]*\) )?|type |var |const |\t)` + regexp.QuoteMeta(short) + `\b`).MatchString(file) {
				t.Errorf("%s doesn't declare %s", pointer[1], name[1])
			}
		}
	}

	linter := read(t, ".golangci.yml")
	for _, rule := range regexp.MustCompile("depguard `(\\w+)`").FindAllStringSubmatch(text, -1) {
		if !strings.Contains(linter, "\n        "+rule[1]+":\n") {
			t.Errorf("the linter has no rule %s", rule[1])
		}
	}

	_, invariants, found := strings.Cut(text, "\n## Invariants\n")
	if !found {
		t.Fatal("there is no section Invariants")
	}
	checkEachNamesATest(t, "ARCHITECTURE.md", invariants, regexp.MustCompile(`(?m)^\d+\. `))
}

// Each guarantee and each invariant of a package's documentation names a test, in the package's folder or below, or in the folder that is named.
func TestPackagesNameTheirProofs(t *testing.T) {
	proofs := findProofs(t)
	files := git(t, "ls-files", "--cached", "--others", "--exclude-standard", "*.go")
	packages := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") || strings.HasPrefix(file, "tools/") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, parser.PackageClauseOnly|parser.ParseComments)
		if os.IsNotExist(err) { // removed, but not yet committed
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		doc := parsed.Doc.Text()
		if strings.Contains(doc, "\nGuarantees:") {
			t.Errorf("%s: the heading must be # Guarantees", file)
		}
		for _, section := range strings.Split("\n"+doc, "\n# ")[1:] {
			title, text, _ := strings.Cut(section, "\n")
			if title != "Guarantees" && title != "Invariants" {
				continue
			}
			packages++
			proofs.check(t, file, path.Dir(file), text)
			checkEachNamesATest(t, file, text, regexp.MustCompile(`(?m)^ *- `))
		}
	}
	if packages < 20 {
		t.Errorf("found only %d sections", packages)
	}
}

// checkEachNamesATest reports the points of a list that name no test.
func checkEachNamesATest(t *testing.T, where, list string, point *regexp.Regexp) {
	t.Helper()
	points := point.Split(list, -1)[1:]
	if len(points) == 0 {
		t.Errorf("%s: there is no list of points", where)
	}
	for _, text := range points {
		if !proofName.MatchString(text) {
			t.Errorf("%s names no test for: %s", where, strings.Join(strings.Fields(text), " "))
		}
	}
}

// proofName matches the name of a test, and the folder if the text says in which it is.
var proofName = regexp.MustCompile("\\b((?:Test|Fuzz|Benchmark)[A-Z]\\w*)\\b(?:`? of `?((?:cli|consumers|deploy|docs|pipeline|shared)\\b(?:/[\\w/]+)?))?")

// proofs are the folders in which there is a test, fuzz test or benchmark, by its name.
type proofs map[string][]string

func findProofs(t *testing.T) proofs {
	t.Helper()
	all := proofs{}
	for _, line := range git(t, "grep", "--untracked", "-o", "-E", `^func (Test|Fuzz|Benchmark)[A-Za-z0-9_]+`, "--", "*_test.go") {
		file, function, _ := strings.Cut(line, ":func ")
		all[function] = append(all[function], path.Dir(file))
	}
	return all
}

// check reports the tests that text names and that don't exist: in the folder that text names, else in dir or below. It returns how many are named.
func (p proofs) check(t *testing.T, where, dir, text string) int {
	t.Helper()
	named := proofName.FindAllStringSubmatch(strings.Join(strings.Fields(text), " "), -1)
	for _, name := range named {
		exists := func(in string) bool { return dir == "." || in == dir || strings.HasPrefix(in, dir+"/") }
		if name[2] != "" {
			exists = func(in string) bool { return in == name[2] }
		}
		if !slices.ContainsFunc(p[name[1]], exists) {
			t.Errorf("%s: there is no %s", where, name[0])
		}
	}
	return len(named)
}

// git returns the lines that git prints in the checkout.
func git(t *testing.T, args ...string) []string {
	t.Helper()
	out, err := exec.Command("git", append([]string{"-C", root}, args...)...).Output()
	if err != nil {
		t.Fatalf("git %s: %v", strings.Join(args, " "), err)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
