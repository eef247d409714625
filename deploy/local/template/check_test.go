package template_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/deploy/local/template"
	"sluice/shared/consumertest/golden"
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
		golden.Compare(t, strings.TrimSuffix(path, ".yaml")+".golden", got)
	}
}

// No template that people deploy, or copy, has a fault, whatever retention it is given.
func TestOwnTemplatesHaveNoFaults(t *testing.T) {
	const root = "../../.."
	paths, err := template.Find(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"template.yaml", "deploy/stream.yaml", "consumers/badges/template.yaml", "consumers/replication/destination.yaml", "consumers/replication/example/logfile.yaml"} {
		if !slices.Contains(paths, filepath.Join(root, path)) {
			t.Errorf("%s isn't among the templates %q", path, paths)
		}
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
