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
	proof.NoRaces(t, "its commands are built without the race detector")
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

// The tests that are named as proof exist, and what the README tells of the documents is as it stands there.
func TestProofsExist(t *testing.T) {
	out, err := exec.Command("git", "grep", "-h", "-o", "-E", "^func Test[A-Za-z0-9]+", "--", "../*_test.go").Output()
	if err != nil {
		t.Fatal(err)
	}
	readme := read(t, "../README.md")
	whole := readme + read(t, "../docs/guarantees.md") + read(t, "../docs/figures.md")
	named := regexp.MustCompile("`(Test[A-Za-z0-9]+)`").FindAllStringSubmatch(whole, -1)
	if len(named) < 50 {
		t.Errorf("only %d tests are named", len(named))
	}
	for _, name := range named {
		if !strings.Contains(string(out), "func "+name[1]+"\n") {
			t.Errorf("%s is named, which doesn't exist", name[1])
		}
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

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
