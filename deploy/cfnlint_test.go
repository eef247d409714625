package deploy_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/deploy/local/servers"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumertest/proof"
)

// AWS's own checkers find nothing in any template that ships, and cfn-lint would if there were something: whole types of
// resources mean nothing to the local stack, which never looks into them.
func TestTemplatesPassCFNLint(t *testing.T) {
	proof.OnlyWhole(t, "it installs the SAM CLI, and takes a minute of processor time")
	c := newCloud(t)
	var withCode, others []string
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
			switch {
			case !strings.Contains(string(text), "AWSTemplateFormatVersion"): // views, rules, routes
			case filepath.Base(path) == "template.yaml":
				withCode = append(withCode, path)
			default:
				others = append(others, path)
			}
		}
	}
	if len(withCode) < 6 || len(others) < 7 {
		t.Fatalf("found only the templates %q and %q", withCode, others)
	}
	if findings, err := servers.LintTemplates(t.Context(), others...); err != nil || findings != "" {
		t.Errorf("findings: %s\nerror: %v", findings, err)
	}
	// With --lint the SAM CLI runs cfn-lint too, after checks of its own. It takes a template at a time.
	for _, path := range withCode {
		c.sam(servertest.Region, "validate", "--lint", "--template", filepath.Join("deploy", path))
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
