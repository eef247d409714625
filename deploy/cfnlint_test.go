package deploy_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/deploy/local/servers"
	"sluice/shared/consumertest/proof"
)

// AWS's own checkers find nothing in any template that ships, and cfn-lint would if there were something: whole types of
// resources mean nothing to the local stack, which never looks into them.
func TestTemplatesPassCFNLint(t *testing.T) {
	proof.OnlyWhole(t, "it installs the SAM CLI")
	if err := servers.Install(t.Context(), t.Logf, servers.SAMCLI); err != nil {
		t.Fatal(err)
	}
	var templates []string
	for _, pattern := range []string{"../template.yaml", "*.yaml", "observability/*.yaml", "../consumers/*/*.yaml", "../docs/testdata/*/template.yaml"} {
		matches, err := filepath.Glob(pattern)
		if err != nil || len(matches) == 0 {
			t.Fatalf("found no %s: %v", pattern, err)
		}
		for _, path := range matches {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(text), "AWSTemplateFormatVersion") { // not of views, rules or routes
				templates = append(templates, path)
			}
		}
	}
	if len(templates) < 13 {
		t.Fatalf("found only the templates %q", templates)
	}
	// cfn-lint expands SAM templates with the translator that the SAM CLI uses.
	if findings, err := servers.LintTemplates(t.Context(), templates...); err != nil || findings != "" {
		t.Errorf("findings: %s\nerror: %v", findings, err)
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
