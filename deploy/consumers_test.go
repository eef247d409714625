package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// operating are the packages that only people's commands need. AWS's package config is one of them: it costs a function a fifth
// of its cold start, and 2 MB.
var operating = regexp.MustCompile(`^sluice/(cmd|cli|pipeline/[a-z]+|deploy|shared/(operate|verify|redrive|rebuild|printable|consumertest)|consumers/[a-z0-9-]+/(boards|query|ops|internal/[a-z]+test))(/|$)|^github\.com/aws/aws-sdk-go-v2/config$`)

// A function links nothing that only people's commands need. Fails if one does: it would start later, and be harder to read.
func TestFunctionsLinkNoOperatingPackage(t *testing.T) {
	for _, folder := range []string{"../consumers/*/*.go", "../consumers/*/*/*.go", "../consumers/*/internal/*/*.go", "../shared/*/*.go"} {
		if files, err := filepath.Glob(folder); err != nil || len(files) == 0 { // so that go test runs the test again when one changes
			t.Fatalf("found no %s: %v", folder, err)
		}
	}
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}{{range .Deps}} {{.}}{{end}}`, "../consumers/.../lambda").Output()
	if err != nil {
		t.Fatal(err)
	}
	functions := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(functions) < 4 {
		t.Fatalf("found only %d functions", len(functions))
	}
	for _, line := range functions {
		packages := strings.Fields(line)
		for _, linked := range packages[1:] {
			if operating.MatchString(linked) {
				t.Errorf("%s links %s", packages[0], linked)
			}
		}
	}
}

// Consumers never import each other, whichever of their packages it is. A change of one can't break another one then.
func TestConsumersImportNoOther(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "../consumers/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	consumer := regexp.MustCompile(`^sluice/consumers/[^/]+`)
	for line := range strings.Lines(string(out)) {
		packages := strings.Fields(line)
		for _, imported := range packages[1:] {
			if other := consumer.FindString(imported); other != "" && other != consumer.FindString(packages[0]) {
				t.Errorf("%s imports %s", packages[0], imported)
			}
		}
	}
}

// What sluice status and sluice redrive find a deployed consumer by: the output Consumer, which is the name in its metrics, the
// output DeadLetterQueue, and a function called Function.
func TestDeployedConsumersCanBeFound(t *testing.T) {
	mains, err := filepath.Glob("../consumers/*/lambda/main.go")
	if err != nil || len(mains) == 0 {
		t.Fatalf("found no consumers: %v", err)
	}
	for _, main := range append(mains, "../docs/testdata/audit/lambda/main.go") {
		text, err := os.ReadFile(main)
		if err != nil {
			t.Fatal(err)
		}
		name := regexp.MustCompile(`consumer\.Main\("([^"]+)"|(\w+)\.Main\(pipeline\.Declared\)`).FindSubmatch(text)
		if name == nil {
			t.Errorf("%s doesn't call consumer.Main with a name, nor Main of a consumer with the declarations", main)
			continue
		}
		path := filepath.Join(filepath.Dir(main), "../template.yaml")
		resources := resolve(t, path)
		if got := resources.Outputs["Consumer"]; got != string(name[1])+string(name[2]) {
			t.Errorf("%s: output Consumer is %q, but the metrics of %s are of %q", path, got, main, name[1:])
		}
		if resources.Outputs["DeadLetterQueue"] == "" {
			t.Errorf("%s has no output DeadLetterQueue", path)
		}
		if resources.Outputs["SourceTables"] == "" {
			t.Errorf("%s has no output SourceTables", path)
		}
		if len(resources.Functions) != 1 || resources.Functions[0].LogicalID != "Function" {
			t.Errorf("%s has functions %+v, want one called Function", path, resources.Functions)
		}
	}
}
