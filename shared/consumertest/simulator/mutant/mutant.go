// Package mutant proves that every guard of a consumer is needed: it takes one
// out of the source, by an edit of its text that only a test build sees, and runs
// the consumer's simulator, or another test, which must then find a difference.
package mutant

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sluice/shared/consumertest/proof"
)

// Mutant is one guard taken out.
type Mutant struct {
	Name string
	File string // relative to the test's directory
	// Old is the text to be replaced; it must stand in File exactly once.
	Old, New string
}

// Test is the simulator, or another test, that has to notice.
type Test struct {
	// Name is a regular expression for the names of the Go tests, in the package
	// of the caller's directory, one of which has to fail.
	Name string
	// Args are further arguments for it, such as how many schedules to run.
	Args []string
	// Env are further variables of its environment.
	Env []string
	// Says is what it prints when it notices, so that it isn't taken for noticing if
	// it fails for another reason; empty: what the simulator prints.
	Says string
}

// differed is what the simulator prints about a difference.
const differed = ", 1 differed"

// Run runs the test once for each mutant, as a process of its own, and fails for
// every mutant that the test doesn't notice, and for every one that doesn't
// compile or whose Old text isn't found any more.
func Run(t *testing.T, test Test, mutants []Mutant) {
	t.Helper()
	proof.OnlyWhole(t, "it compiles the package once for each mutant")
	says := cmp.Or(test.Says, differed)
	for _, m := range mutants {
		t.Run(m.Name, func(t *testing.T) {
			t.Parallel()
			overlay, err := m.overlay(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			args := append([]string{"test", "-overlay=" + overlay, "-vet=off", "-count=1", "-failfast", "-run=^(" + test.Name + ")$", "."}, test.Args...)
			if test.Says == "" {
				args = append(args, "-rapid.shrinktime=1ms") // that it differs is enough
			}
			command := exec.CommandContext(t.Context(), "go", args...)
			command.Env = append(os.Environ(), test.Env...)
			out, err := command.CombinedOutput()
			if err == nil {
				t.Errorf("nothing notices that this guard is gone:\n%s", out)
			} else if !strings.Contains(string(out), says) {
				t.Errorf("the test fails, but not for a difference: %v\n%s", err, out)
			}
		})
	}
}

// overlay writes the changed file and the description that go build wants.
func (m Mutant) overlay(dir string) (string, error) {
	source, err := os.ReadFile(m.File)
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(source), m.Old); n != 1 {
		return "", fmt.Errorf("the guard stands in %s %d times, not once: adapt the mutant to the code as it is now\n%s", m.File, n, m.Old)
	}
	original, err := filepath.Abs(m.File)
	if err != nil {
		return "", err
	}
	changed := filepath.Join(dir, "changed.go")
	if err := os.WriteFile(changed, []byte(strings.Replace(string(source), m.Old, m.New, 1)), 0o600); err != nil {
		return "", err
	}
	description, err := json.Marshal(map[string]map[string]string{"Replace": {original: changed}})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, description, 0o600)
}
