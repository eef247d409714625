package cli

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"sluice/shared/consumertest/proof"
)

var shellBlock = regexp.MustCompile("(?s)```sh\n(.*?)```")

// Every command of the README works as written, in the order in which a reader
// meets them. Those that make runs are only looked up: running them here would
// run this test again, or take minutes.
func TestReadmeCommands(t *testing.T) {
	proof.OnlyWhole(t, "it runs whole stacks, as TestDemoWithChaos does")
	t.Parallel()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	sh := func(command string) ([]byte, error) {
		cmd := exec.Command("sh", "-c", command)
		cmd.Dir = ".."
		cmd.Env = append(os.Environ(), "GOBIN="+bin, "PATH="+bin+":"+os.Getenv("PATH"), "SLUICE_RUN_DIR="+bin+"/run")
		return cmd.CombinedOutput()
	}
	t.Cleanup(func() { _, _ = sh("sluice down") }) // in case a command failed; the README's own down has run otherwise
	commands := 0
	for _, block := range shellBlock.FindAllStringSubmatch(string(text), -1) {
		for command := range strings.Lines(block[1]) {
			command = strings.TrimSpace(command)
			if target, isMake := strings.CutPrefix(command, "make "); isMake {
				command = "make -n " + target
			}
			out, err := sh(command)
			t.Logf("$ %s\n%s", command, out)
			if err != nil {
				t.Fatalf("%s: %v", command, err)
			}
			commands++
		}
	}
	if commands < 10 {
		t.Errorf("found only %d commands in the README", commands)
	}
}
