package template_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/deploy/local/template"
)

// retention is that of deploy/stream.yaml.
const retention = 168 * time.Hour

func check(path string) error {
	read, err := template.Read(path)
	if err != nil {
		return err
	}
	return read.Check(retention)
}

// Each faulty template beside the faults that it must have, in a golden file. suits.yaml has none.
func TestCheck(t *testing.T) {
	paths, err := filepath.Glob("testdata/check/*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("found no templates: %v", err)
	}
	for _, path := range paths {
		got := ""
		if err := check(path); err != nil {
			got = err.Error() + "\n"
		}
		if (got == "") != (filepath.Base(path) == "suits.yaml") {
			t.Errorf("%s has the faults %q", path, got)
		}
		golden := strings.TrimSuffix(path, ".yaml") + ".golden"
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (-want +got, go test -update writes it anew):\n%s", path, diff)
		}
	}
}

// What people deploy, and copy, suits a consumer.
func TestOwnTemplatesSuitConsumers(t *testing.T) {
	const root = "../../.."
	paths, err := filepath.Glob(filepath.Join(root, "consumers/*/template.yaml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("found no consumers: %v", err)
	}
	for _, path := range paths {
		if err := check(path); err != nil {
			t.Errorf("%v", err)
		}
	}
	stream, err := resolve(filepath.Join(root, "deploy/stream.yaml"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := stream.Streams[0].Retention; got != retention {
		t.Errorf("the stream keeps changes for %v, want %v, as sluice lint takes for granted", got, retention)
	}
}
