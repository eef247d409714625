package servers

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// pathWith makes a PATH that has nothing but the scripts.
func pathWith(t *testing.T, scripts map[string]string) {
	t.Helper()
	dir := t.TempDir()
	for name, script := range scripts {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
	t.Setenv("JAVA_HOME", "")
	t.Setenv("XDG_CACHE_HOME", t.TempDir()) // nothing is installed
	t.Setenv("HOME", t.TempDir())
}

func TestCheckNamesAllThatIsMissing(t *testing.T) {
	tests := []struct {
		name    string
		scripts map[string]string
		want    map[string]string // what was found, without the path
	}{
		{"nothing there", nil, map[string]string{
			"Java 17 or newer":               "not found on the PATH",
			"Maven 3.6 or newer":             "not found on the PATH",
			"Python 3.11 or newer with venv": "not found on the PATH",
		}},
		{"all too old", map[string]string{
			"java":    `echo 'java version "1.8.0_292"' >&2`,
			"mvn":     `echo 'Apache Maven 3.5.4 (1edded0938998edf8bf061f1ceb3cfdeccf443fe)'`,
			"python3": `echo 'Python 3.9'`,
		}, map[string]string{
			"Java 17 or newer":               "java is version 1.8",
			"Maven 3.6 or newer":             "mvn is version 3.5",
			"Python 3.11 or newer with venv": "python3 is version 3.9",
		}},
		{"not what they seem", map[string]string{
			"java":    `echo 'Unable to locate a Java Runtime.' >&2; exit 1`,
			"mvn":     `echo 'Apache Maven 4.0.0'`,
			"python3": `echo 'Python 3.11'; echo "ModuleNotFoundError: No module named 'ensurepip'" >&2; exit 1`,
		}, map[string]string{
			"Java 17 or newer":               "java does not tell its version: Unable to locate a Java Runtime.",
			"Python 3.11 or newer with venv": "python3 is version 3.11, but not whole: ModuleNotFoundError: No module named 'ensurepip'",
		}},
		{"all there", map[string]string{
			"java":    `echo 'openjdk version "21" 2023-09-19' >&2`,
			"mvn":     `echo 'Apache Maven 3.6.0'`,
			"python3": `echo 'Python 3.11'`,
		}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			pathWith(t, test.scripts)
			err := Check(t.Context(), DynamoDBLocal, Ministack)
			var missing *MissingToolsError
			if err != nil && !errors.As(err, &missing) {
				t.Fatal(err)
			}
			var got map[string]string
			if missing != nil {
				got = map[string]string{}
				for _, m := range missing.Missing {
					got[m.Name] = m.Found
					if m.Get == "" {
						t.Errorf("%s: no word on how to get it", m.Name)
					}
				}
			}
			for name, found := range test.want {
				if test.scripts != nil {
					test.want[name] = fmt.Sprintf("%s%c%s", os.Getenv("PATH"), filepath.Separator, found)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("missing (-want +got):\n%s", diff)
			}
		})
	}
}
