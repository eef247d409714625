package servers

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
)

// tool is a program that must be on the machine already.
type tool struct {
	name    string // with the version wanted
	program string
	// homeVariable names a directory whose bin/ is looked in before the PATH.
	homeVariable string
	args         []string       // make it tell its version
	version      *regexp.Regexp // major and minor version in what it prints
	major, minor int            // the oldest that will do
	debian, mac  string         // how to get it
}

var (
	java = tool{
		name: "Java 17 or newer", program: "java", homeVariable: "JAVA_HOME",
		args: []string{"-version"}, version: regexp.MustCompile(`version "(\d+)(?:\.(\d+))?`), major: 17,
		debian: "sudo apt install openjdk-17-jre-headless (or openjdk-21-jre-headless)",
		mac:    "brew install --cask temurin",
	}
	maven = tool{
		name: "Maven 3.6 or newer", program: "mvn",
		args: []string{"--version"}, version: regexp.MustCompile(`Apache Maven (\d+)\.(\d+)`), major: 3, minor: 6,
		debian: "sudo apt install maven",
		mac:    "brew install maven",
	}
	python = tool{
		name: "Python 3.11 or newer with venv", program: "python3",
		// Debian's Python has the venv module, but not what it needs to put pip into an environment.
		args:    []string{"-c", "import sys; print('Python %d.%d' % sys.version_info[:2]); import venv, ensurepip"},
		version: regexp.MustCompile(`Python (\d+)\.(\d+)`), major: 3, minor: 11,
		debian: "sudo apt install python3 python3-venv",
		mac:    "brew install python",
	}
)

func (t tool) path() (string, error) {
	//nolint:forbidigo // a program's place, not a setting
	if home := os.Getenv(t.homeVariable); t.homeVariable != "" && home != "" {
		if path, err := exec.LookPath(filepath.Join(home, "bin", t.program)); err == nil {
			return path, nil
		}
	}
	return exec.LookPath(t.program)
}

// missing returns what was found instead of the tool, or "" if the tool is there.
func (t tool) missing(ctx context.Context) (found string, err error) {
	path, err := t.path()
	if errors.Is(err, exec.ErrNotFound) {
		return "not found on the PATH", nil
	}
	if err != nil {
		return "", err
	}
	var printed bytes.Buffer
	cmd := exec.CommandContext(ctx, path, t.args...)
	cmd.Stdout, cmd.Stderr = &printed, &printed
	whole := cmd.Run() == nil
	if err := ctx.Err(); err != nil {
		return "", err
	}
	lines := strings.Split(strings.TrimSpace(printed.String()), "\n")
	match := t.version.FindStringSubmatch(printed.String())
	if match == nil {
		return fmt.Sprintf("%s does not tell its version: %s", path, cmp.Or(lines[0], "it prints nothing")), nil
	}
	major, _ := strconv.Atoi(match[1]) // digits, by the pattern; an absent minor version is 0
	minor, _ := strconv.Atoi(match[2])
	if cmp.Or(cmp.Compare(major, t.major), cmp.Compare(minor, t.minor)) < 0 {
		return fmt.Sprintf("%s is version %d.%d", path, major, minor), nil
	}
	if !whole {
		return fmt.Sprintf("%s is version %d.%d, but not whole: %s", path, major, minor, lines[len(lines)-1]), nil
	}
	return "", nil
}

// MissingTool is a program that the servers need and the machine does not have.
type MissingTool struct {
	Name  string // with the version wanted
	For   string // the server that needs it
	Found string // what there is instead
	Get   string // how to get it on this system
}

// Check returns a [*MissingToolsError] that names every tool that is missing to install (if need be) and run the
// servers. For servers that are installed it asks only for what runs them.
func Check(ctx context.Context, servers ...*Server) error {
	var missing []MissingTool
	seen := map[string]bool{}
	for _, server := range servers {
		needs := server.needs
		installed, err := server.Installed(ctx)
		if err != nil {
			return err
		}
		if !installed {
			needs = append(needs[:len(needs):len(needs)], server.installNeeds...)
		}
		for _, need := range needs {
			if seen[need.name] {
				continue
			}
			seen[need.name] = true
			found, err := need.missing(ctx)
			if err != nil {
				return fmt.Errorf("look for %s: %w", need.name, err)
			}
			if found == "" {
				continue
			}
			get := need.debian
			if runtime.GOOS == "darwin" {
				get = need.mac
			}
			missing = append(missing, MissingTool{Name: need.name, For: server.Name, Found: found, Get: get})
		}
	}
	if missing != nil {
		return &MissingToolsError{Missing: missing}
	}
	return nil
}
