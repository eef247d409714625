package template_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/deploy/local/template"
	"sluice/shared/consumertest/golden"
)

func scope(parameters map[string]string) template.Scope {
	return template.Scope{
		StackName: "Local", Region: "eu-west-1", AccountID: "000000000000",
		Parameters: parameters, QueueEndpoint: "http://127.0.0.1:4566",
	}
}

func resolve(path string, parameters map[string]string) (*template.Resources, error) {
	read, err := template.Read(path)
	if err != nil {
		return nil, err
	}
	return read.Resolve(scope(parameters))
}

// One template with everything that is understood, in both forms of each intrinsic function.
func TestEverythingUnderstood(t *testing.T) {
	resources, err := resolve("testdata/everything.yaml", map[string]string{"StreamArn": "arn:given", "Shards": "3"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.MarshalIndent(resources, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, "testdata/everything.golden.json", string(got)+"\n")
}

// The templates that people deploy must mean here what they say.
func TestOwnTemplates(t *testing.T) {
	const root = "../../.."
	stream, err := resolve(filepath.Join(root, "deploy/stream.yaml"), nil)
	if err != nil {
		t.Fatal(err)
	}
	const streamARN = "arn:aws:kinesis:eu-west-1:000000000000:stream/Local-Stream"
	if got := stream.Outputs["StreamArn"]; got != streamARN {
		t.Errorf("output StreamArn of deploy/stream.yaml is %q, want %q", got, streamARN)
	}
	game, err := resolve(filepath.Join(root, "deploy/game.yaml"), map[string]string{"StreamArn": streamARN, "StreamName": "changes"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&template.Changes{StreamARN: streamARN, Precision: "MICROSECOND"}, game.Tables[0].Changes); diff != "" {
		t.Errorf("changes of the score table (-want +got):\n%s", diff)
	}

	paths, err := filepath.Glob(filepath.Join(root, "consumers/*/template.yaml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("found no consumers: %v", err)
	}
	for _, path := range paths {
		read, err := template.Read(path)
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		given := map[string]string{}
		for _, p := range read.Parameters {
			if value, ok := stream.Outputs[p.Name]; ok {
				given[p.Name] = value
			}
			if p.Name == "SearchEndpoint" { // which only people know
				given[p.Name] = "https://search.example"
			}
		}
		resources, err := read.Resolve(scope(given))
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		for _, f := range resources.Functions {
			if want := filepath.Join(filepath.Dir(path), "lambda"); f.CodeDir != want {
				t.Errorf("%s: %s has its code in %s, want %s", path, f.LogicalID, f.CodeDir, want)
			}
			for _, m := range f.Mappings {
				if !m.ReportBatchItemFailures || m.Stream != streamARN {
					t.Errorf("%s: mapping %s of %s reads %s and reports partial failures: %v; want %s and true",
						path, m.Name, f.LogicalID, m.Stream, m.ReportBatchItemFailures, streamARN)
				}
			}
		}
		if filepath.Base(filepath.Dir(path)) != "leaderboard" {
			continue
		}
		want := []template.KinesisMapping{{
			Name: "Changes", Stream: streamARN, Enabled: true, StartingPosition: template.TrimHorizon,
			BatchSize: 100, BatchingWindow: time.Second, ParallelizationFactor: 2,
			BisectBatchOnFunctionError: true, ReportBatchItemFailures: true,
			MaximumRetryAttempts: template.Endless, MaximumRecordAge: 168 * time.Hour,
			OnFailure: &template.OnFailure{Type: "SQS", Destination: "arn:aws:sqs:eu-west-1:000000000000:Local-DeadLetters"},
		}}
		if diff := cmp.Diff(want, resources.Functions[0].Mappings); diff != "" {
			t.Errorf("the leaderboard's mapping (-want +got):\n%s", diff)
		}
	}
}

// What is off by default is as well understood, and a mapping that fans out reads the same stream.
func TestOwnTemplatesWithEverythingOn(t *testing.T) {
	paths, err := filepath.Glob("../../../consumers/*/template.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("found no consumers: %v", err)
	}
	for _, path := range paths {
		given := map[string]string{"StreamArn": "arn:given", "EnhancedFanOut": "true", "ReservedConcurrency": "4", "KmsKeyArn": "arn:key", "StreamKmsKeyArn": "arn:key"}
		for name, value := range map[string]string{
			"search": "SearchEndpoint=https://search.example,SearchAuth=basic,SearchSecretArn=arn:secret", "badges": "OperatorArn=arn:operator",
			"replication": "TableKmsKeyArns=arn:key",
		} {
			if filepath.Base(filepath.Dir(path)) != name {
				continue
			}
			for pair := range strings.SplitSeq(value, ",") {
				key, text, _ := strings.Cut(pair, "=")
				given[key] = text
			}
		}
		resources, err := resolve(path, given)
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		if got := resources.Functions[0].Mappings[0].Stream; got != "arn:given" || len(resources.StreamConsumers) != 1 {
			t.Errorf("%s: with a consumer of its own, of %d, the mapping reads %s, want arn:given", path, len(resources.StreamConsumers), got)
		}
	}
}

// Fn::And and Fn::Or of each pair of truth values.
func TestJoinedConditions(t *testing.T) {
	for _, a := range []string{"true", "false"} {
		for _, b := range []string{"true", "false"} {
			path := filepath.Join(t.TempDir(), "t.yaml")
			text := "Parameters: {A: {Type: String}, B: {Type: String}}\nConditions:\n  And: !And [!Equals [!Ref A, \"true\"], !Equals [!Ref B, \"true\"]]\n" +
				"  Or: !Or [!Equals [!Ref A, \"true\"], !Equals [!Ref B, \"true\"]]\nResources: {}\nOutputs:\n  And: {Value: !If [And, \"true\", \"false\"]}\n  Or: {Value: !If [Or, \"true\", \"false\"]}\n"
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			resources, err := resolve(path, map[string]string{"A": a, "B": b})
			if err != nil {
				t.Fatal(err)
			}
			and, or := a == "true" && b == "true", a == "true" || b == "true"
			if resources.Outputs["And"] != strconv.FormatBool(and) || resources.Outputs["Or"] != strconv.FormatBool(or) {
				t.Errorf("%s and %s: %v", a, b, resources.Outputs)
			}
		}
	}
}

// A list is given with commas between its texts. An empty one is no text, joined.
func TestListParameters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.yaml")
	text := "Parameters: {L: {Type: CommaDelimitedList, Default: \"\"}}\nConditions:\n  Some: !Not [!Equals [!Join [\"\", !Ref L], \"\"]]\nResources: {}\n" +
		"Outputs:\n  Joined: {Value: !Join [\"-\", !Ref L]}\n  Some: {Value: !If [Some, \"true\", \"false\"]}\n"
	for given, want := range map[string]map[string]string{
		"":    {"Joined": "", "Some": "false"},
		"a,b": {"Joined": "a-b", "Some": "true"},
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		resources, err := resolve(path, map[string]string{"L": given})
		if err != nil {
			t.Fatal(err)
		}
		if !maps.Equal(resources.Outputs, want) {
			t.Errorf("of %q: outputs %v, want %v", given, resources.Outputs, want)
		}
	}
}

func TestFaults(t *testing.T) {
	const function = `Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: lambda
      Events:
        E:
          Type: Kinesis
          Properties:
            Stream: arn
            StartingPosition: LATEST
`
	tests := []struct {
		name, text string
		given      map[string]string
		want       []string // one line each, without the path
	}{
		{"not YAML", "Resources: [", nil, []string{"1:12: sequence end token ']' not found"}},
		{"empty", "# nothing\n", nil, []string{"1:1: has 1 YAML documents, want one that is not empty"}},
		{"no resources", "Description: x\n", nil, []string{"1:1: no Resources"}},
		{"section", "Hooks: {}\nResources: {}\n", nil,
			[]string{"1:1: template: Hooks is not understood here; understood: AWSTemplateFormatVersion, Conditions, Description, Mappings, Metadata, Outputs, Parameters, Resources, Transform"}},
		{"type", "Resources:\n  I: {Type: AWS::EC2::Instance}\n", nil,
			[]string{`2:3: resource I has Type "AWS::EC2::Instance"; understood here: AWS::CloudWatch::Alarm, AWS::CloudWatch::CompositeAlarm, AWS::CloudWatch::Dashboard, AWS::DynamoDB::Table, AWS::IAM::Role, AWS::Kinesis::Stream, AWS::Kinesis::StreamConsumer, AWS::Logs::LogGroup, AWS::S3::Bucket, AWS::S3::BucketPolicy, AWS::SNS::Subscription, AWS::SNS::Topic, AWS::SNS::TopicPolicy, AWS::SQS::Queue, AWS::SQS::QueuePolicy, AWS::Serverless::Application, AWS::Serverless::Function`}},
		{"condition", "Resources:\n  B: {Type: AWS::S3::Bucket, Condition: C}\n", nil,
			[]string{"2:41: refers to C, which is no condition of this template"}},
		{"a fault in what isn't made", "Conditions:\n  C: !Equals [a, b]\nResources:\n  B: {Type: AWS::S3::Bucket, Condition: C, Properties: {Name: x}}\n", nil,
			[]string{"4:57: B: Name is not understood here; understood: BucketEncryption, BucketName, LifecycleConfiguration, OwnershipControls, PublicAccessBlockConfiguration, Tags"}},
		{"intrinsic", "Resources:\n  B:\n    Type: AWS::S3::Bucket\n    Properties:\n      BucketName: !Base64 a\n", nil,
			[]string{"5:19: Fn::Base64 is not understood here; understood: Fn::FindInMap, Fn::GetAtt, Fn::If, Fn::Join, Fn::Select, Fn::Split, Fn::Sub, Ref"}},
		{"list in a text", "Parameters: {L: {Type: CommaDelimitedList, Default: \"a,b\"}, T: {Type: String, Default: a}}\nResources:\n  B:\n    Type: AWS::S3::Bucket\n    Properties:\n      BucketName: !Sub \"${L}\"\n  C:\n    Type: AWS::S3::Bucket\n    Properties:\n      BucketName: !Join [\"\", !Ref T]\n", nil,
			[]string{"6:19: L is a list, which has no place within a text; Fn::Join makes a text of it", "10:19: Fn::Join must have a delimiter and a list"}},
		{"map", "Mappings: {M: {a: {One: 1}}}\nResources: {}\nOutputs:\n  A: {Value: !FindInMap [M, b, One]}\n  B: {Value: !FindInMap [M, a, Two]}\n  C: {Value: !FindInMap [M, a]}\n  D: {Value: !FindInMap [M, a, One]}\n", nil, []string{
			"4:14: there is no Mappings.M.b", "4:14: output A: Value is missing", "5:14: there is no Mappings.M.a.Two", "5:14: output B: Value is missing",
			"6:14: Fn::FindInMap must have the name of a map and two keys", "6:14: output C: Value is missing",
		}},
		{"a condition's form", "Conditions:\n  A: !Ref b\n  B: !Not [x, y]\n  C: !Equals [a]\n  D: !And [!Equals [a, a]]\n  E: !Or [a, !Equals [a, a]]\nResources: {}\n", nil, []string{
			"2:6: a condition must be Fn::Equals, Fn::Not, Fn::And or Fn::Or", "3:6: Fn::Not must have a list of one condition", "4:6: Fn::Equals must have a list of two values",
			"5:6: Fn::And must have a list of two to ten conditions", "6:10: a condition must be Fn::Equals, Fn::Not, Fn::And or Fn::Or",
		}},
		{"no such condition", "Resources:\n  B:\n    Type: AWS::S3::Bucket\n    Properties:\n      Tags: !If [C, a, b]\nOutputs:\n  O: {Condition: D, Value: x}\n", nil, []string{
			"5:17: refers to C, which is no condition of this template", "7:18: refers to D, which is no condition of this template",
		}},
		// What isn't chosen is deployed in another region, or with other parameters.
		{"a fault in what isn't chosen", "Conditions:\n  C: !Equals [a, b]\nResources:\n  B:\n    Type: AWS::S3::Bucket\n    Properties:\n      Tags: !If [C, !Ref Nobody, b]\n", nil,
			[]string{"7:20: refers to Nobody, which is no parameter and no resource of this template"}},
		{"reference", "Resources:\n  B:\n    Type: AWS::S3::Bucket\n    Properties:\n      Tags: [!Ref Nobody]\n", nil,
			[]string{"5:14: refers to Nobody, which is no parameter and no resource of this template"}},
		{"pseudo parameter", "Resources: {B: {Type: AWS::S3::Bucket}}\nOutputs:\n  O:\n    Value: !Ref AWS::StackId\n", nil,
			[]string{"4:12: AWS::StackId is not understood here; understood: AWS::AccountId, AWS::Partition, AWS::Region, AWS::StackName, AWS::URLSuffix"}},
		{"attribute", "Resources: {B: {Type: AWS::S3::Bucket}}\nOutputs:\n  O: {Value: !GetAtt B.DomainName}\n", nil,
			[]string{"3:14: DomainName of B (AWS::S3::Bucket) is not understood here; understood: Arn"}},
		{"parameter missing", "Parameters:\n  P: {Type: String}\nResources: {}\n", nil,
			[]string{"2:3: parameter P has no default and was not given"}},
		{"parameter unknown", "Resources: {}\n", map[string]string{"Q": "1"}, []string{"1:1: has no parameter Q, which was given"}},
		{"parameter limits", "Parameters:\n  A: {Type: Number, Default: 0, MinValue: 1}\n  B: {Type: String, Default: c, AllowedValues: [a, b]}\n  C: {Type: String, Default: \"http://x\", AllowedPattern: \"|https://.+\"}\nResources: {}\n", nil,
			[]string{"2:3: parameter A = 0 must be at least 1", `3:3: parameter B = "c" must be one of: a, b`, `4:3: parameter C = "http://x" must match the pattern ^(?:|https://.+)$`}},
		// A misspelt setting must not silently have its default.
		{"property", function + "            BatchSzie: 5\n            MaximumRecordAgeInSeconds: 5\n            BatchSize: ten\n", nil, []string{
			"12:13: F: event E: BatchSzie is not understood here; understood: BatchSize, BisectBatchOnFunctionError, DestinationConfig, Enabled, FunctionResponseTypes, MaximumBatchingWindowInSeconds, MaximumRecordAgeInSeconds, MaximumRetryAttempts, ParallelizationFactor, StartingPosition, StartingPositionTimestamp, Stream",
			`13:40: F: event E: MaximumRecordAgeInSeconds = "5" must be a whole number from 60 to 604800`,
			`14:24: F: event E: BatchSize = "ten" must be a whole number from 1 to 10000`,
		}},
		{"names of queues", "Resources:\n  A: {Type: AWS::SQS::Queue, Properties: {FifoQueue: true, QueueName: a}}\n  B: {Type: AWS::SQS::Queue, Properties: {QueueName: b.fifo}}\n", nil, []string{
			`2:3: A: QueueName = "a" must end in .fifo with FifoQueue true, and only then`,
			`3:3: B: QueueName = "b.fifo" must end in .fifo with FifoQueue true, and only then`,
		}},
		{"names of topics", "Resources:\n  A: {Type: AWS::SNS::Topic, Properties: {FifoTopic: true, TopicName: a}}\n  B: {Type: AWS::SNS::Topic, Properties: {TopicName: b.fifo, ContentBasedDeduplication: true}}\n", nil, []string{
			`2:3: A: TopicName = "a" must end in .fifo with FifoTopic true, and only then`,
			`3:3: B: TopicName = "b.fifo" must end in .fifo with FifoTopic true, and only then`,
			"3:89: B: ContentBasedDeduplication must be given with FifoTopic true, and only then",
		}},
		// Mail would be lost without a trace.
		{"subscription", "Resources:\n  S:\n    Type: AWS::SNS::Subscription\n    Properties: {TopicArn: t, Protocol: email, Endpoint: e, FilterPolicy: {n: [.5]}}\nOutputs:\n  O: {Value: !Ref S}\n", nil, []string{
			`4:41: S: Protocol = "email" must be one of: sqs`,
			"4:80: S: FilterPolicy: .5 is no value of JSON",
			"6:14: a reference to S (AWS::SNS::Subscription) is not understood here",
		}},
		// What isn't understood might allow more than is seen.
		{"rights", "Resources:\n  R:\n    Type: AWS::IAM::Role\n    Properties:\n      Policies:\n        - PolicyName: p\n          PolicyDocument: {Statement: [{Effect: Deny, Action: a, Resource: r}, {Effect: Allow, NotAction: a, Resource: r}]}\n", nil, []string{
			`7:49: R: policy p: Effect = "Deny" must be one of: Allow`,
			"7:81: R: policy p: Action is missing",
			"7:96: R: policy p: NotAction is not understood here; understood: Action, Condition, Effect, Resource, Sid",
		}},
		{"shape", function + "            DestinationConfig: [x]\n", nil,
			[]string{"12:32: F: event E: DestinationConfig must be an object, not a list"}},
		// Whatever form it has: a filter that is written wrong must not be taken for none.
		{"filter", function + "            FilterCriteria: {Filters: [{Pattern: '{}'}]}\n", nil, []string{
			"12:30: F: event E must have no FilterCriteria: Lambda drops what a filter can't parse or doesn't match without a trace; what a consumer doesn't take it skips, and counts"}},
		{"empty filter", function + "            FilterCriteria: {}\n", nil, []string{
			"12:29: F: event E must have no FilterCriteria: Lambda drops what a filter can't parse or doesn't match without a trace; what a consumer doesn't take it skips, and counts"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "template.yaml")
			if err := os.WriteFile(path, []byte(test.text), 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := resolve(path, test.given)
			if err == nil {
				t.Fatal("no error")
			}
			got := strings.Split(strings.ReplaceAll(err.Error(), path+":", ""), "\n")
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}
