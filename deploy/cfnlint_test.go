package deploy_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/deploy/local/servers"
	"sluice/deploy/local/servers/servertest"
)

// AWS's own checkers find nothing in any template that ships, and cfn-lint would if there were something: whole types of
// resources mean nothing to the local stack, which never looks into them.
func TestTemplatesPassCFNLint(t *testing.T) {
	c := newCloud(t)
	var paths []string
	for _, pattern := range []string{"../template.yaml", "*.yaml", "observability/*.yaml", "../consumers/*/template.yaml", "../consumers/replication/*.yaml", "../docs/testdata/*/template.yaml"} {
		matches, err := filepath.Glob(pattern)
		if err != nil || len(matches) == 0 {
			t.Fatalf("found no %s: %v", pattern, err)
		}
		for _, path := range matches {
			if filepath.Base(path) != "replicas.yaml" { // routes, not a template
				paths = append(paths, path)
			}
		}
	}
	if findings, err := servers.LintTemplates(t.Context(), paths...); err != nil || findings != "" {
		t.Errorf("findings: %s\nerror: %v", findings, err)
	}

	// The SAM CLI's own check knows what SAM adds; it takes a template at a time.
	for _, path := range paths {
		if strings.HasSuffix(path, "/template.yaml") {
			c.sam(servertest.Region, "validate", "--lint", "--template", filepath.Join("deploy", path))
		}
	}

	text, err := os.ReadFile("observability/table.yaml")
	if err != nil {
		t.Fatal(err)
	}
	faulty := filepath.Join(t.TempDir(), "faulty.yaml")
	if err := os.WriteFile(faulty, []byte(strings.ReplaceAll(string(text), "EvaluationPeriods: 1", "EvaluationPeriods: none")), 0o644); err != nil {
		t.Fatal(err)
	}
	findings, err := servers.LintTemplates(t.Context(), faulty)
	if err != nil || !strings.Contains(findings, "E3012") {
		t.Errorf("findings in a faulty template: %q, error %v; want E3012", findings, err)
	}
}
