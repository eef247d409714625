// Package deploy_test checks what the templates of this directory promise people.
package deploy_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/deploy/local/template"
)

func resolve(t *testing.T, path string) *template.Resources {
	t.Helper()
	return resolveWith(t, path, nil)
}

// resolveWith gives a template values for its parameters, of those that it has, and one to each without a default.
func resolveWith(t *testing.T, path string, values map[string]string) *template.Resources {
	t.Helper()
	read, err := template.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	given := map[string]string{}
	for _, p := range read.Parameters {
		if value, ok := values[p.Name]; ok {
			given[p.Name] = value
		} else if p.Default == nil {
			given[p.Name] = "https://given.example" // suits a pattern too
		}
	}
	resources, err := read.Resolve(template.Scope{StackName: "s", Region: "eu-west-1", AccountID: "000000000000", Parameters: given})
	if err != nil {
		t.Fatal(err)
	}
	return resources
}

// Who is woken by an alarm finds out what to do, and no entry is of an alarm that is gone.
func TestEveryAlarmIsInTheRunbook(t *testing.T) {
	paths, err := filepath.Glob("observability/*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("found no alarms: %v", err)
	}
	var alarms []string
	for _, path := range paths {
		for _, alarm := range resolve(t, path).Alarms {
			alarms = append(alarms, alarm.LogicalID)
			if !strings.Contains(alarm.Description, " First") {
				t.Errorf("%s: the description of %s doesn't say what to do first: %s", path, alarm.LogicalID, alarm.Description)
			}
		}
	}
	runbook, err := os.ReadFile("../docs/runbook.md")
	if err != nil {
		t.Fatal(err)
	}
	alarmsPart, _, found := strings.Cut(string(runbook), "\n## Without an alarm\n")
	if !found {
		t.Error("docs/runbook.md has no section \"Without an alarm\"")
	}
	var entries []string
	for _, heading := range regexp.MustCompile(`(?m)^## (.+)$`).FindAllStringSubmatch(alarmsPart, -1) {
		entries = append(entries, strings.Split(heading[1], ", ")...)
	}
	slices.Sort(alarms)
	slices.Sort(entries)
	if diff := cmp.Diff(alarms, entries); diff != "" {
		t.Errorf("alarms (-) and entries of docs/runbook.md (+) differ:\n%s", diff)
	}
}

var dashboardBody = regexp.MustCompile(`(?ms)^      DashboardBody: !Sub \|\n(.*)\z`)

// CloudFormation would find out last.
func TestDashboardIsJSON(t *testing.T) {
	text, err := os.ReadFile("observability.yaml")
	if err != nil {
		t.Fatal(err)
	}
	body := dashboardBody.FindSubmatch(text)
	if body == nil {
		t.Fatal("found no dashboard")
	}
	var dashboard struct{ Widgets []json.RawMessage }
	if err := json.Unmarshal(body[1], &dashboard); err != nil || len(dashboard.Widgets) == 0 {
		t.Errorf("the dashboard has %d widgets: %v", len(dashboard.Widgets), err)
	}
}
