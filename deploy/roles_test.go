package deploy_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"sluice/deploy/local/template"
)

// Every function has a role of its own template, which a test beside the template compares with the function's calls: the
// role that SAM makes otherwise may read every stream and write every log of the account, and nobody would notice.
func TestEveryFunctionHasARoleThatIsTested(t *testing.T) {
	paths, err := filepath.Glob("../consumers/*/template.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("found no consumers: %v", err)
	}
	for _, path := range paths {
		resources := resolveWith(t, path, map[string]string{"SearchEndpoint": "https://search.example"})
		for _, f := range resources.Functions {
			if !slices.ContainsFunc(resources.Roles, func(r template.Role) bool { return r.ARN == f.Role }) {
				t.Errorf("%s: the role of %s is %q, which is none of the template's", path, f.LogicalID, f.Role)
			}
		}
		if _, err := os.Stat(filepath.Join(filepath.Dir(path), "rights_test.go")); err != nil {
			t.Errorf("%s: no test compares its role with what it calls, as package rightstest does: %v", path, err)
		}
	}
}
