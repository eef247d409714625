package deploy_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sluice/deploy/local/template"
)

// What a template gives to another must be a parameter there, all that has no default must be given, and what is taken
// from another must be an output of it: CloudFormation finds out in the middle of a deployment.
func TestApplicationsFit(t *testing.T) {
	// Everything on, so that no part is left out.
	all := map[string]string{"ReplicaRegion": "eu-central-1", "SearchEndpoint": "https://search.example", "BoardTable": "given"}
	paths, err := filepath.Glob("../consumers/*/template.yaml")
	if err != nil || len(paths) < 4 {
		t.Fatalf("found only the templates %q of consumers: %v", paths, err)
	}
	for _, path := range append(paths, "../template.yaml", "game.yaml", "pets.yaml") {
		applications := resolveWith(t, path, all).Applications
		if len(applications) == 0 {
			t.Errorf("%s has no applications", path)
		}
		within := map[string]*template.Template{}
		for _, a := range applications {
			read, err := template.Read(filepath.Join(filepath.Dir(path), a.Location))
			if err != nil {
				t.Fatal(err)
			}
			within[a.LogicalID] = read
		}
		for _, a := range applications {
			var known []string
			for _, p := range within[a.LogicalID].Parameters {
				known = append(known, p.Name)
				// Who deploys a part alone gets what the whole gives it.
				if own := defaultOf(t, path, p.Name); own != nil && p.Default != nil && *own != *p.Default && *own != "" {
					t.Errorf("%s: parameter %s is %s by default, but %s in %s", path, p.Name, *own, *p.Default, a.Location)
				}
				if _, given := a.Parameters[p.Name]; !given && p.Default == nil {
					t.Errorf("%s: %s doesn't give %s its parameter %s", path, a.LogicalID, a.Location, p.Name)
				}
			}
			for name, value := range a.Parameters {
				if !slices.Contains(known, name) {
					t.Errorf("%s: %s gives %s a parameter %s, which it doesn't have", path, a.LogicalID, a.Location, name)
				}
				from, output, ok := strings.Cut(value, ".Outputs.")
				if ok && (within[from] == nil || !slices.Contains(within[from].OutputNames(), output)) {
					t.Errorf("%s: %s takes output %s of %s, which it doesn't have", path, a.LogicalID, output, from)
				}
			}
		}
	}
}

// defaultOf returns the default of a template's parameter; nil if there is none.
func defaultOf(t *testing.T, path, name string) *string {
	t.Helper()
	read, err := template.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range read.Parameters {
		if p.Name == name {
			return p.Default
		}
	}
	return nil
}
