package deploy_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

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
		name := regexp.MustCompile(`consumer\.Main\("([^"]+)"`).FindSubmatch(text)
		if name == nil {
			t.Errorf("%s doesn't call consumer.Main with a name", main)
			continue
		}
		path := filepath.Join(filepath.Dir(main), "../template.yaml")
		resources := resolve(t, path)
		if got := resources.Outputs["Consumer"]; got != string(name[1]) {
			t.Errorf("%s: output Consumer is %q, but the metrics of %s are of %q", path, got, main, name[1])
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
