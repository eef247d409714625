package cli

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumertest/proof"
)

var updateTutorial = flag.Bool("update-tutorial", false, "write docs/testdata/audit, what the tutorial makes")

// goBlock is a block of Go of the tutorial, with the file that it belongs to.
var goBlock = regexp.MustCompile("(?s)```go (\\S+)\n(.*?)```")

// What the tutorial says works: "sluice new consumer audit" and its blocks of code, in a copy of the checkout, make a
// consumer that passes vet, lint and its own test, and does its work in a local stack. The README says how many lines its
// author writes.
func TestTutorial(t *testing.T) {
	proof.NoRaces(t, "its commands are built without the race detector")
	t.Parallel()
	text, err := os.ReadFile("../docs/tutorial.md")
	if err != nil {
		t.Fatal(err)
	}
	root := copyCheckout(t)
	sluice := func(args ...string) string { return inCopy(t, root, os.Args[0], args...) }
	sluice("new", "consumer", "audit")
	blocks := goBlock.FindAllStringSubmatch(string(text), -1)
	if len(blocks) != 2 {
		t.Fatalf("the tutorial has %d blocks of Go that name their file, want 2", len(blocks))
	}
	written := map[bool]int{} // lines, by whether they are the test's
	for _, block := range blocks {
		path := filepath.Join(root, filepath.FromSlash(block[1]))
		made, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		edited, err := edit(string(made), block[2])
		if err != nil {
			t.Fatalf("%s: %v", block[1], err)
		}
		before := filepath.Join(t.TempDir(), "before")
		if err := errors.Join(os.Rename(path, before), os.WriteFile(path, edited, 0o600)); err != nil {
			t.Fatal(err)
		}
		written[strings.HasSuffix(path, "_test.go")] += inserted(t, before, path)
	}

	removed := regexp.MustCompile(`(?m)^\$ rm (.+)$`).FindSubmatch(text)
	if removed == nil {
		t.Fatal("the tutorial deletes nothing")
	}
	inCopy(t, root, "rm", strings.Fields(string(removed[1]))...)
	wantTexts(t, sluice("lint", "--template", "consumers/audit/template.yaml"), "template.yaml: no faults")
	// With all that go vet looks for: run by itself it would take as long again.
	wantTexts(t, inCopy(t, root, "go", "test", "-short", "-vet=all", "-count=1", "-v", "./consumers/audit/...", "./pipeline"), "PASS: TestSimulator", "PASS: TestRights")

	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	// Not wantTexts, which would print the whole README.
	if figure := fmt.Sprintf("%d lines: %d of the consumer, %d of its test", written[false]+written[true], written[false], written[true]); !strings.Contains(string(readme), figure) {
		t.Errorf("the README's figures don't say what the tutorial's author writes: %s", figure)
	}
	wantFinished(t, filepath.Join(root, "consumers", "audit"))
	wantRuns(t, root)
}

// copyCheckout copies the files of the checkout that belong to it, and those that are new.
func copyCheckout(t testing.TB) string {
	t.Helper()
	list := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = ".."
	out, err := list.Output()
	if err != nil {
		t.Fatalf("list the files of the checkout: %v", err)
	}
	root := t.TempDir()
	for path := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		text, err := os.ReadFile(filepath.Join("..", path))
		if os.IsNotExist(err) {
			continue // removed, but not committed
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, path)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, path), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// inCopy runs a command that must succeed in a copy of the checkout, and returns what it prints.
func inCopy(t *testing.T, root, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = root
	// Without cgo, as the functions are built, so that what both need is compiled once.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", servertest.DynamoDBVariable+"="+*servertest.DynamoDB(t).BaseEndpoint)
	if name == os.Args[0] {
		cmd.Env = append(cmd.Env, "SLUICE_TEST_MAIN=1")
	}
	start := time.Now()
	out, err := cmd.CombinedOutput()
	t.Logf("$ %s %s (%.1f s)\n%s", filepath.Base(name), strings.Join(args, " "), time.Since(start).Seconds(), out)
	if err != nil {
		t.Fatalf("%s %s: %v", filepath.Base(name), strings.Join(args, " "), err)
	}
	return string(out)
}

// edit puts a block's imports and functions into a file, in the place of the imports and of the functions of the same
// names, as the tutorial's reader does. A function that the file hasn't goes behind the one before it in the block.
func edit(file, block string) ([]byte, error) {
	const clause = "package p\n"
	theirs, ours := token.NewFileSet(), token.NewFileSet()
	into, err := parser.ParseFile(theirs, "", file, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	from, err := parser.ParseFile(ours, "", clause+block, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	texts := map[string]string{} // of the block, by declaration
	last := ""
	for _, d := range from.Decls {
		begin, end := extent(ours, d)
		text := (clause + block)[begin:end]
		if name := declared(d); name == "import" || hasDeclaration(into, name) {
			texts[name], last = text, name
		} else {
			texts[last] += "\n\n" + text
		}
	}
	var edited strings.Builder
	at := 0
	for _, d := range into.Decls {
		text, replaced := texts[declared(d)]
		if !replaced {
			continue
		}
		begin, end := extent(theirs, d)
		edited.WriteString(file[at:begin] + text)
		at = end
	}
	edited.WriteString(file[at:])
	return format.Source([]byte(edited.String()))
}

// extent is where a declaration with its comment begins and ends.
func extent(files *token.FileSet, d ast.Decl) (begin, end int) {
	from := d.Pos()
	if f, ok := d.(*ast.FuncDecl); ok && f.Doc != nil {
		from = f.Doc.Pos()
	}
	return files.Position(from).Offset, files.Position(d.End()).Offset
}

// declared names a declaration that a block may replace.
func declared(d ast.Decl) string {
	switch d := d.(type) {
	case *ast.FuncDecl:
		return d.Name.Name
	case *ast.GenDecl:
		return d.Tok.String()
	}
	return ""
}

func hasDeclaration(file *ast.File, name string) bool {
	for _, d := range file.Decls {
		if declared(d) == name {
			return true
		}
	}
	return false
}

// inserted counts the lines that git diff shows as inserted, comments and brackets among them.
func inserted(t *testing.T, before, after string) int {
	t.Helper()
	out, err := exec.Command("git", "diff", "--no-index", "--numstat", before, after).Output()
	if exit, failed := errors.AsType[*exec.ExitError](err); err != nil && (!failed || exit.ExitCode() != 1) { // 1: they differ
		t.Fatalf("git diff: %v", err)
	}
	n := 0
	if _, err := fmt.Sscan(string(out), &n); err != nil {
		t.Fatalf("git diff printed %q: %v", out, err)
	}
	return n
}

// wantFinished compares what the tutorial makes with docs/testdata/audit, which is there to be read. Its README isn't:
// the links hold in its own place only.
func wantFinished(t *testing.T, made string) {
	t.Helper()
	const kept = "../docs/testdata/audit"
	if err := os.Remove(filepath.Join(made, "README.md")); err != nil {
		t.Fatal(err)
	}
	if *updateTutorial {
		if err := os.RemoveAll(kept); err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(kept, os.DirFS(made)); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{made, kept} {
		err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			name, err := filepath.Rel(dir, path)
			if err != nil {
				return err
			}
			want, _ := os.ReadFile(filepath.Join(made, name))
			got, err := os.ReadFile(filepath.Join(kept, name))
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s isn't what the tutorial makes; go test -run TestTutorial ./cli -update-tutorial writes it anew", filepath.Join(kept, name))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
