package stack

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/deploy/local/template"
)

// checkout makes a directory with templates in deploy.
func checkout(t *testing.T, templates map[string]string) string {
	t.Helper()
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "deploy"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range templates {
		if err := os.WriteFile(filepath.Join(root, "deploy", name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

const (
	aStream = "Resources:\n  S: {Type: AWS::Kinesis::Stream}\nOutputs:\n  StreamArn: {Value: !GetAtt S.Arn}\n"
	aTable  = `
Parameters:
  StreamArn: {Type: String}
Resources:
  T:
    Type: AWS::DynamoDB::Table
    Properties:
      KeySchema: [{AttributeName: K, KeyType: HASH}]
      AttributeDefinitions: [{AttributeName: K, AttributeType: S}]
      KinesisStreamSpecification: {StreamArn: !Ref StreamArn}
Outputs:
  Table: {Value: !Ref T}
`
)

// Fails for a plan that resolves the templates in the order of their names, or runs a list of them only.
func TestTemplatesTakeOutputsOfOthers(t *testing.T) {
	plans, err := readPlans(checkout(t, map[string]string{"a.yaml": aTable, "z.yaml": aStream}), "eu-central-1", Endpoints{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := plans.regions[0]
	arn := "arn:aws:kinesis:eu-central-1:000000000000:stream/sluice-z-S"
	want := map[string]map[string]string{"a": {"Table": "sluice-a-T"}, "z": {"StreamArn": arn}}
	if diff := cmp.Diff(want, p.outputs()); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
	var changes []*template.Changes
	for _, resources := range p.templates {
		for _, table := range resources.Tables {
			changes = append(changes, table.Changes)
		}
	}
	if diff := cmp.Diff([]*template.Changes{{StreamARN: arn}}, changes); diff != "" {
		t.Errorf("where changes go (-want +got):\n%s", diff)
	}
}

func TestTemplatesThatDoNotFit(t *testing.T) {
	function := "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties: {CodeUri: f, Runtime: provided.al2023, Handler: bootstrap}\n"
	for name, test := range map[string]struct {
		templates map[string]string
		want      string
	}{
		"none":              {nil, "is no checkout of Sluice"},
		"an output twice":   {map[string]string{"a.yaml": aStream, "b.yaml": aStream}, "both have an output StreamArn"},
		"a parameter unmet": {map[string]string{"a.yaml": aTable}, "parameter StreamArn has no default"},
		"a function":        {map[string]string{"a.yaml": function}, "a.yaml has a function"},
		"a ring of outputs": {map[string]string{
			"a.yaml": aTable,
			"b.yaml": "Parameters:\n  Table: {Type: String}\n" + aStream,
		}, "take outputs of one another"},
	} {
		if _, err := readPlans(checkout(t, test.templates), "eu-central-1", Endpoints{}, nil); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, test.want)
		}
	}
}

// consumer is a template that is deployed in several regions if it gets the parameter.
const consumer = `
Parameters:
  StreamArn: {Type: String}
  SharedRegions: {Type: String, Default: ""}
Conditions:
  Shares: !Not [!Equals [!Ref SharedRegions, ""]]
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: lambda
      Events: {E: {Type: Kinesis, Properties: {Stream: !Ref StreamArn, StartingPosition: LATEST}}}
Outputs:
  SharedRegions: {Condition: Shares, Value: !Ref SharedRegions}
`

// Fails for a plan that runs every consumer in every region, or reads the home region's stream in another.
func TestConsumersInSeveralRegions(t *testing.T) {
	read := func(regions string, only ...string) ([]*plan, error) {
		root := checkout(t, map[string]string{"s.yaml": aStream, "t.yaml": "Resources: {}\nOutputs:\n  SharedRegions: {Value: \"" + regions + "\"}\n"})
		for name, text := range map[string]string{"there": consumer, "here": strings.ReplaceAll(consumer, "SharedRegions", "Other")} {
			dir := filepath.Join(root, "consumers", name)
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "template.yaml"), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		plans, err := readPlans(root, "eu-central-1", Endpoints{}, only)
		if err != nil {
			return nil, err
		}
		return plans.regions, nil
	}
	if _, err := read("eu-central-1", "here", "nowhere"); err == nil || !strings.Contains(err.Error(), `there is no consumer "nowhere"`) {
		t.Errorf("a consumer that isn't there: %v", err)
	}
	if some, err := read("eu-central-1,ap-south-1", "here"); err != nil || len(some) != 1 || len(some[0].consumers) != 1 || some[0].consumers[0].name != "here" {
		t.Errorf("one consumer, which runs at home: %+v, %v", some, err)
	}
	plans, err := read("us-east-1,eu-central-1,ap-south-1")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range plans {
		for _, c := range p.consumers {
			got = append(got, p.region+" "+c.name+" "+c.mapping.Stream)
		}
	}
	stream := func(region string) string { return "arn:aws:kinesis:" + region + ":000000000000:stream/sluice-s-S" }
	want := []string{
		"eu-central-1 here " + stream("eu-central-1"), "eu-central-1 there " + stream("eu-central-1"),
		"ap-south-1 there " + stream("ap-south-1"), "us-east-1 there " + stream("us-east-1"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("consumers (-want +got):\n%s", diff)
	}
	for regions, want := range map[string]string{"us-east-1": "which has not the region where this stack runs, eu-central-1", "eu-central-1,": "a region that is empty"} {
		if _, err := read(regions); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "consumer there") {
			t.Errorf("regions %q: error %v, want one with %q", regions, err, want)
		}
	}
}
