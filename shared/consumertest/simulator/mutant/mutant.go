// Package mutant proves that every guard of a consumer is needed: it takes one
// guard out of the source, and runs the consumer's simulator, or another test,
// which must then find a difference.
//
// The mutants of one call of [Run] are compiled together. The compiler sees the
// package with a copy of each changed function beside the function itself, and a
// variable of the environment chooses the copy. The package's own build never
// contains a copy.
package mutant

import (
	"cmp"
	"context"
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
	// Old is the text to be replaced, inside of functions. File must contain Old exactly once.
	Old, New string
}

// Test is the simulator, or another test, that has to notice.
type Test struct {
	// Name is a regular expression for the names of the Go tests, in the package
	// of the caller's directory, one of which has to fail.
	Name string
	// Args are further arguments for the test, such as how many schedules to run.
	Args []string
	// Env are further variables of its environment.
	Env []string
	// Says is what the test prints when it notices, so that no other failure counts
	// as noticing. If empty: what the simulator prints.
	Says string
}

// differed is what the simulator prints about a difference.
const differed = ", 1 differed"

// Run runs the test once for each mutant, as a process of its own, and fails for
// every mutant that the test doesn't notice. It fails at once if a mutant doesn't
// compile, or if the file doesn't contain the mutant's Old text exactly once.
func Run(t *testing.T, test Test, mutants []Mutant) {
	t.Helper()
	proof.OnlyWhole(t, "each mutant runs the test until it notices")
	binary, err := compile(t.TempDir(), mutants)
	if err != nil {
		t.Fatal(err)
	}
	says := cmp.Or(test.Says, differed)
	for i, m := range mutants {
		t.Run(m.Name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"-test.run=^(" + test.Name + ")$", "-test.failfast", "-test.timeout=10m"}, test.Args...)
			if test.Says == "" {
				args = append(args, "-rapid.shrinktime=1ms") // that it differs is enough
			}
			command := process(t.Context(), binary, i, args...)
			command.Env = append(command.Env, test.Env...)
			out, err := command.CombinedOutput()
			if err == nil {
				t.Errorf("nothing notices that this guard is gone:\n%s", out)
			} else if !strings.Contains(string(out), says) {
				t.Errorf("the test fails, but not for a difference: %v\n%s", err, out)
			}
		})
	}
}

// process returns the command that runs a compiled test with one mutant.
func process(ctx context.Context, binary string, number int, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, binary, args...)
	command.Env = append(os.Environ(), fmt.Sprint(variable, "=", number))
	return command
}

// compile builds the test binary of the current directory with all mutants in it, and returns its path.
func compile(dir string, mutants []Mutant) (string, error) {
	description, err := overlay(dir, mutants)
	if err != nil {
		return "", err
	}
	binary := filepath.Join(dir, "mutants.test")
	// Without symbols, which nothing here reads, the linker takes three quarters of the time.
	out, err := exec.Command("go", "test", "-c", "-vet=off", "-ldflags=-s -w", "-overlay="+description, "-o="+binary, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("compile the mutants: %w\n%s", err, out)
	}
	return binary, nil
}
