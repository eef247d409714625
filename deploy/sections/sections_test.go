package sections

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	leaderboardops "sluice/consumers/leaderboard/ops"
	replicationops "sluice/consumers/replication/ops"
	"sluice/shared/declaration"
	"sluice/shared/operate"
)

// Only the lines of sections change, each with the indent of its section. Fails if a line outside is touched, if a section that isn't
// there is passed over in silence, or if a second run changes anything.
func TestFill(t *testing.T) {
	const text = "a: 1\n  # sluice:one (why)\n  old\n    older\n  # sluice:end\nb: 2\n# sluice:settings my-orders\n# sluice:end\nc\n"
	lines := map[string]string{"one": "x:\n  y\n\nz\n", "settings my-orders": ""}
	const want = "a: 1\n  # sluice:one (why)\n  x:\n    y\n\n  z\n  # sluice:end\nb: 2\n# sluice:settings my-orders\n# sluice:end\nc\n"
	for range 2 {
		got, err := fill(text, lines)
		if err != nil || got != want {
			t.Errorf("%v, got\n%s", err, got)
		}
		if again, err := fill(got, lines); err != nil || again != got {
			t.Errorf("a second run: %v\n%s", err, again)
		}
	}
	for name, c := range map[string]struct {
		text  string
		lines map[string]string
		fault string
	}{
		"no such section":     {text, map[string]string{"one": "", "settings my-orders": "", "two": ""}, `it has no section for two`},
		"an unknown section":  {text, map[string]string{"one": ""}, "sluice:settings my-orders is not understood here"},
		"written by hand":     {"a: 1\n", map[string]string{"one": "x\n"}, ""},
		"a section of nobody": {"# sluice:end\n", map[string]string{"one": "x\n"}, ""},
	} {
		got, err := fill(c.text, c.lines)
		if c.fault == "" && (err != nil || got != c.text) || c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)) {
			t.Errorf("%s: %v, want %q; got\n%s", name, err, c.fault, got)
		}
	}
}

func pipelineOf(files map[string]string) declaration.Pipeline {
	mapped := fstest.MapFS{}
	for name, text := range files {
		mapped[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return declaration.Pipeline{Files: mapped, Folder: "pipeline"}
}

const bare = `Parameters:
  Known:
    Type: String
  # sluice:parameters
  # sluice:end
Resources:
  Role:
    Statement:
      # sluice:rights
      # sluice:end
    Variables:
      # sluice:environment
      # sluice:end
Outputs:
  # sluice:outputs
  # sluice:end
`

// Two settings with the same value stay two references. Fails if a table is taken for the setting that has its name by chance, if a
// setting is passed on that no declaration names, or if one that the template has is declared twice.
func TestConsumer(t *testing.T) {
	p := pipelineOf(map[string]string{
		"settings.yaml": "A_TABLE: Same\nB_TABLE: Same\nKNOWN: Same\nUNUSED: x\nFLAG: true\n",
		"views.yaml": "views:\n  - {name: v, from: {table: \"${A_TABLE}\", subtractExpired: \"${FLAG}\"}, into: {table: \"${KNOWN}-${B_TABLE}\", key: {K: \"{k}\"}}, count: n}\n" +
			"  - {name: w, from: {table: Literal}, into: {table: Other, key: {K: \"{k}\"}}, count: n}\n",
	})
	got, err := Consumer([]byte(bare), p, leaderboardops.Consumer(p).(operate.Declarer))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"  ATable:\n    Type: String\n    Default: \"Same\"\n", "  Flag:\n    Type: String\n    Default: \"true\"\n",
		"      - Effect: Allow\n        Action: [dynamodb:UpdateItem]\n        Resource:\n" +
			"          - !Sub \"arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/Other\"\n" +
			"          - !Sub \"arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${Known}-${BTable}\"\n",
		"      A_TABLE: !Ref ATable\n      B_TABLE: !Ref BTable\n      FLAG: !Ref Flag\n      KNOWN: !Ref Known\n",
		"  Known:\n    Description: The setting KNOWN of pipeline/settings.yaml.\n    Value: !Ref Known\n",
		"    Value: !Sub \"${ATable},Literal\"\n",
	} {
		if !strings.Contains(string(got), want) {
			t.Errorf("it has no\n%s\nin\n%s", want, got)
		}
	}
	if strings.Contains(string(got), "UNUSED") || strings.Contains(string(got), "Unused") || strings.Count(string(got), "  Known:\n    Type") != 1 {
		t.Errorf("a setting too much:\n%s", got)
	}
}

// A copy has the keys of its source, once for all regions. Fails if a copy of a table that nobody makes is passed over.
func TestCopies(t *testing.T) {
	files := map[string]string{
		"settings.yaml": "ORDERS_TABLE: Orders\nREGION: eu-west-1\n",
		"replicas.yaml": "replicas:\n  - {name: a, from: {table: \"${ORDERS_TABLE}\"}, into: {table: Copy, region: \"${REGION}\"}}\n" +
			"  - {name: b, from: {table: \"${ORDERS_TABLE}\"}, into: {table: Copy, region: eu-central-1}}\n",
	}
	p := pipelineOf(files)
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "deploy"), 0o700); err != nil {
		t.Fatal(err)
	}
	const orders = "Resources:\n  OrdersTable:\n    Type: AWS::DynamoDB::Table\n    Properties:\n      TableName: %s\n      BillingMode: PAY_PER_REQUEST\n" +
		"      AttributeDefinitions: [{AttributeName: b, AttributeType: N}, {AttributeName: a, AttributeType: S}]\n" +
		"      KeySchema: [{AttributeName: a, KeyType: HASH}, {AttributeName: b, KeyType: RANGE}]\n"
	text := []byte("Parameters:\n  # sluice:parameters\n  # sluice:end\nResources:\n  # sluice:copies\n  # sluice:end\n")
	for name, made := range map[string]bool{"Orders": true, "Others": false} {
		if err := os.WriteFile(filepath.Join(root, "deploy", "orders.yaml"), []byte(strings.Replace(orders, "%s", name, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		parts, err := readParts(root)
		if err != nil {
			t.Fatal(err)
		}
		n, err := needsOf(p, replicationops.Consumer(p).(operate.Declarer))
		if err != nil {
			t.Fatal(err)
		}
		got, err := n.copies(text, parts.tables)
		switch {
		case !made && (err == nil || !strings.Contains(err.Error(), "copies table Orders, which no template in deploy makes")):
			t.Errorf("error %v, want one about the table", err)
		case made && (err != nil || strings.Count(string(got), "AWS::DynamoDB::Table") != 1 ||
			!strings.Contains(string(got), "        - {AttributeName: \"a\", KeyType: HASH}\n        - {AttributeName: \"b\", KeyType: RANGE}\n")):
			t.Errorf("%v, got\n%s", err, got)
		}
	}
}

// The template of the whole pipeline is among a checkout's, with the tables of deploy and what consumers are passed, and each table that
// a declaration names is looked for. Fails if the whole template is left out, or if a table that isn't there, or that has no stream, is
// passed over.
func TestCheckout(t *testing.T) {
	const table = "Parameters:\n  StreamArn: {Type: String}\n  Prefix: {Type: String, Default: \"\"}\nResources:\n  OrdersTable:\n    Type: AWS::DynamoDB::Table\n" +
		"    Properties:\n      TableName: !Sub \"${Prefix}Orders\"\n      BillingMode: PAY_PER_REQUEST\n      AttributeDefinitions: [{AttributeName: a, AttributeType: S}]\n" +
		"      KeySchema: [{AttributeName: a, KeyType: HASH}]\nSTREAMOutputs:\n  OrdersTable: {Value: !Ref OrdersTable}\n"
	const stream = "      KinesisStreamSpecification: {StreamArn: !Ref StreamArn}\n"
	const root = "Parameters:\n  # sluice:parameters\n  # sluice:end\n  Prefix:\n    Type: String\nResources:\n  # sluice:tables\n  # sluice:end\n  Leaderboard:\n" +
		"    # sluice:settings leaderboard\n    # sluice:end\nOutputs:\n  # sluice:outputs\n  # sluice:end\n"
	for name, c := range map[string]struct{ stream, into, key, fault string }{
		"as it should be": {stream, "Sums", "a", ""},
		"another key":     {stream, "Sums", "b", "pipeline/views.yaml writes items with the key b:S into table Sums, whose key is a:S in deploy"},
		"no stream":       {"", "Sums", "a", "pipeline/views.yaml takes changes of table Orders, which don't go into the stream"},
		"no table":        {stream, "Nowhere", "a", "pipeline/views.yaml names table Nowhere, which no template in deploy makes"},
	} {
		dir := t.TempDir()
		for path, text := range map[string]string{
			"deploy/orders.yaml": strings.Replace(table, "STREAM", c.stream, 1),
			"deploy/sums.yaml":   strings.ReplaceAll(strings.Replace(table, "STREAM", "", 1), "Orders", "Sums"),
			"template.yaml":      root, "consumers/leaderboard/template.yaml": bare,
		} {
			to := filepath.Join(dir, filepath.FromSlash(path))
			if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(to, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		p := pipelineOf(map[string]string{
			"settings.yaml": "ORDERS_TABLE: Orders\n", "views.yaml": "views: [{name: v, from: {table: \"${ORDERS_TABLE}\"}, into: {table: \"" + c.into + "\", key: {" + c.key + ": \"all\"}}, count: n}]\n",
		})
		files, err := Checkout(dir, p, []operate.Declarer{leaderboardops.Consumer(p).(operate.Declarer)})
		if c.fault != "" {
			if err == nil || !strings.Contains(err.Error(), c.fault) {
				t.Errorf("%s: error %v, want %q", name, err, c.fault)
			}
			continue
		}
		if err != nil || len(files) != 2 || files[1].Path != "template.yaml" {
			t.Errorf("%s: %v, files %+v", name, err, files)
			continue
		}
		for _, want := range []string{"  Orders:\n", "      Location: deploy/orders.yaml\n", "        Prefix: !Ref Prefix\n", "    OrdersTable: !GetAtt Orders.Outputs.OrdersTable\n"} {
			if !strings.Contains(files[1].Want, want) {
				t.Errorf("%s: template.yaml has no\n%s\nin\n%s", name, want, files[1].Want)
			}
		}
	}
}
