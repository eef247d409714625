package rights_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/deploy/local/rights"
	"sluice/deploy/local/template"
)

const account = "000000000000"

// seen is what the function of testdata/template.yaml calls.
var seen = []rights.Need{
	{Action: "dynamodb:PutItem", Resource: "arn:aws:dynamodb:eu-west-1:000000000000:table/s-Table", Region: "eu-west-1"},
	{Action: "dynamodb:Query", Resource: "arn:aws:dynamodb:eu-west-1:000000000000:table/s-Table", Region: "eu-west-1"},
	{Action: "dynamodb:GetItem", Resource: "arn:aws:dynamodb:eu-west-1:000000000000:table/Shared", Region: "eu-west-1"},
	{Action: "dynamodb:GetItem", Resource: "arn:aws:dynamodb:us-east-1:000000000000:table/Shared", Region: "us-east-1"},
	{Action: "s3:PutObject", Resource: "arn:aws:s3:::s-bodies-eu-west-1/some/key", Region: "eu-west-1"},
}

// compare compares the template of testdata after an edit, with further parameters.
func compare(t *testing.T, old, replacement string, needs []rights.Need, parameters map[string]string) []string {
	t.Helper()
	text, err := os.ReadFile("testdata/template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(text), old) != 1 {
		t.Fatalf("%q stands %d times in the template, want once", old, strings.Count(string(text), old))
	}
	path := filepath.Join(t.TempDir(), "template.yaml")
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), old, replacement, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	read, err := template.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	resources, err := read.Resolve(template.Scope{StackName: "s", Region: "eu-west-1", AccountID: account, Parameters: parameters})
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string][]rights.Use{"arn:aws:kms:eu-west-1:000000000000:key/one": {rights.ForTables, rights.ForQueues}}
	fixed, err := rights.OfLambda(resources, resources.Functions[0], "eu-west-1", account, keys)
	if err != nil {
		return []string{err.Error()}
	}
	return rights.Compare(resources, resources.Functions[0], needs, fixed)
}

// A role that allows what is needed has no faults; each that allows less, more or more widely has one that says what to do.
func TestCompare(t *testing.T) {
	const table = "arn:aws:dynamodb:eu-west-1:000000000000:table/s-Table"
	for name, test := range map[string]struct {
		old, replacement string
		want             []string
	}{
		"as it is": {"Resources:\n", "Resources:\n", nil},
		"one action too few": {"[dynamodb:PutItem, dynamodb:Query]", "dynamodb:PutItem", []string{
			"role FunctionRole lacks dynamodb:Query on " + table + ", which the function calls in eu-west-1: add it",
		}},
		"one action too many": {"dynamodb:Query]", "dynamodb:Query, dynamodb:DeleteItem]", []string{
			"line 40: role FunctionRole allows dynamodb:DeleteItem on " + table + ", for which no call was seen: remove it, or have the test make the call",
		}},
		"another table": {"Resource: !GetAtt Table.Arn", `Resource: !Sub "${Table.Arn}2"`, []string{
			"role FunctionRole lacks dynamodb:PutItem on " + table + ", which the function calls in eu-west-1: add it",
			"role FunctionRole lacks dynamodb:Query on " + table + ", which the function calls in eu-west-1: add it",
			"line 40: role FunctionRole allows dynamodb:PutItem on " + table + "2, for which no call was seen: remove it, or have the test make the call",
			"line 40: role FunctionRole allows dynamodb:Query on " + table + "2, for which no call was seen: remove it, or have the test make the call",
		}},
		"every table": {"Resource: !GetAtt Table.Arn", `Resource: "arn:aws:dynamodb:eu-west-1:000000000000:table/*"`, []string{
			"line 40: role FunctionRole allows dynamodb:PutItem on arn:aws:dynamodb:eu-west-1:000000000000:table/*: name the resource, without a wildcard",
			"line 40: role FunctionRole allows dynamodb:Query on arn:aws:dynamodb:eu-west-1:000000000000:table/*: name the resource, without a wildcard",
		}},
		"everything": {"Resource: !GetAtt Table.Arn", `Resource: "*"`, []string{
			"line 40: role FunctionRole allows dynamodb:PutItem on *: name the resource's ARN",
			"line 40: role FunctionRole allows dynamodb:Query on *: name the resource's ARN",
		}},
		"every action": {"[dynamodb:PutItem, dynamodb:Query]", `"dynamodb:*"`, []string{
			"role FunctionRole lacks dynamodb:PutItem on " + table + ", which the function calls in eu-west-1: add it",
			"role FunctionRole lacks dynamodb:Query on " + table + ", which the function calls in eu-west-1: add it",
			"line 40: role FunctionRole allows dynamodb:* on " + table + ": name each action, without a wildcard",
		}},
		"every bucket": {`!Sub "${Bodies.Arn}/*"`, `"arn:aws:s3:::*"`, []string{
			"line 43: role FunctionRole allows s3:PutObject on arn:aws:s3:::*: name the resource, without a wildcard",
		}},
		"one region too many": {`"eu-west-1,us-east-1"`, `"eu-west-1,us-east-1,us-east-2"`, []string{
			"line 46: role FunctionRole allows dynamodb:GetItem on arn:aws:dynamodb:us-east-2:000000000000:table/Shared, for which no call was seen: remove it, or have the test make the call",
		}},
		"every region": {"                Condition: {StringEquals: {\"aws:RequestedRegion\": !Split [\",\", !Ref Regions]}}\n", "", []string{
			"line 46: role FunctionRole allows dynamodb:GetItem on arn:aws:dynamodb:*:000000000000:table/Shared: name the resource, without a wildcard",
		}},
		"another condition": {`{StringEquals: {"aws:RequestedRegion": !Split [",", !Ref Regions]}}`, `{Bool: {"aws:SecureTransport": "true"}}`, []string{
			"role FunctionRole lacks dynamodb:GetItem on arn:aws:dynamodb:eu-west-1:000000000000:table/Shared, which the function calls in eu-west-1: add it",
			"role FunctionRole lacks dynamodb:GetItem on arn:aws:dynamodb:us-east-1:000000000000:table/Shared, which the function calls in us-east-1: add it",
			"line 46: role FunctionRole allows dynamodb:GetItem on arn:aws:dynamodb:*:000000000000:table/Shared: its condition isn't understood here: understood is StringEquals of aws:RequestedRegion",
		}},
		"no log": {"[logs:CreateLogStream, logs:PutLogEvents]", "logs:CreateLogStream", []string{
			"role FunctionRole lacks logs:PutLogEvents on arn:aws:logs:eu-west-1:000000000000:log-group:s-Logs:*, which Lambda or a service needs in the function's name: add it",
		}},
		"every log": {"Resource: !GetAtt Logs.Arn", `Resource: "*"`, []string{
			"role FunctionRole lacks logs:CreateLogStream on arn:aws:logs:eu-west-1:000000000000:log-group:s-Logs:*, which Lambda or a service needs in the function's name: add it",
			"role FunctionRole lacks logs:PutLogEvents on arn:aws:logs:eu-west-1:000000000000:log-group:s-Logs:*, which Lambda or a service needs in the function's name: add it",
			"line 26: role FunctionRole allows logs:CreateLogStream on *: name the resource's ARN",
			"line 26: role FunctionRole allows logs:PutLogEvents on *: name the resource's ARN",
		}},
		"every stream": {"kinesis:ListShards]\n                Resource: !Ref StreamArn", "kinesis:ListShards]\n                Resource: [!Ref StreamArn, other]", []string{
			"line 29: role FunctionRole allows kinesis:DescribeStream on other: name the resource's ARN",
			"line 29: role FunctionRole allows kinesis:DescribeStreamSummary on other: name the resource's ARN",
			"line 29: role FunctionRole allows kinesis:GetRecords on other: name the resource's ARN",
			"line 29: role FunctionRole allows kinesis:GetShardIterator on other: name the resource's ARN",
			"line 29: role FunctionRole allows kinesis:ListShards on other: name the resource's ARN",
		}},
		"a key's use": {`kms:Encrypt, "kms:ReEncrypt*"`, "kms:Encrypt, kms:CreateGrant", []string{
			"role FunctionRole lacks kms:ReEncrypt* on arn:aws:kms:eu-west-1:000000000000:key/one, which Lambda or a service needs in the function's name: add it",
			"line 33: role FunctionRole allows kms:CreateGrant on arn:aws:kms:eu-west-1:000000000000:key/one, which neither Lambda nor a service needs in the function's name: remove it",
		}},
		"a key without services":    {"                Condition: {StringLike: {\"kms:ViaService\": \"dynamodb.*.amazonaws.com\"}}\n", "", keyIsOpen()},
		"a key through any service": {`"kms:ViaService": "dynamodb.*.amazonaws.com"`, `"kms:ViaService": "*"`, keyIsOpen()},
		"every path of a domain": {
			"              - Effect: Allow\n                Action: s3:PutObject\n",
			"              - {Effect: Allow, Action: \"es:ESHttpPut\", Resource: \"arn:aws:es:eu-west-1:000000000000:domain/search/*-1\"}\n              - Effect: Allow\n                Action: s3:PutObject\n",
			[]string{"line 43: role FunctionRole allows es:ESHttpPut on arn:aws:es:eu-west-1:000000000000:domain/search/*-1: name the resource, without a wildcard"},
		},
		"somebody else's role": {"Service: lambda.amazonaws.com", "Service: [lambda.amazonaws.com, ec2.amazonaws.com]", []string{
			"role FunctionRole may be assumed by [lambda.amazonaws.com ec2.amazonaws.com]; only lambda.amazonaws.com has to",
		}},
		"a managed policy": {"      Policies:\n", "      ManagedPolicyArns: [arn:aws:iam::aws:policy/service-role/AWSLambdaKinesisExecutionRole]\n      Policies:\n", []string{
			"role FunctionRole has the managed policy arn:aws:iam::aws:policy/service-role/AWSLambdaKinesisExecutionRole, whose resources are all of the account: list what it is needed for in Policies, and remove it",
		}},
		"SAM's role": {"      Role: !GetAtt FunctionRole.Arn\n", "", []string{
			"function Function has no Role of the template: the one that SAM makes may read every stream and write every log of the account",
		}},
		"Lambda's own log": {"      LoggingConfig: {LogGroup: !Ref Logs}\n", "", []string{
			"function Function has no LoggingConfig with a LogGroup of the template: Lambda's own would be kept for ever",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			got := compare(t, test.old, test.replacement, seen, nil)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}

// A consumer of the stream of the function's own needs a right, and without one that right is too many.
func TestCompareFanOut(t *testing.T) {
	fansOut := map[string]string{"EnhancedFanOut": "true"}
	const conditional = "!If [FansOut, {Effect: Allow, Action: \"kinesis:SubscribeToShard\", Resource: !Ref Reader}, !Ref AWS::NoValue]"
	const reader = "kinesis:SubscribeToShard on arn:aws:kinesis:eu-west-1:000000000000:consumer/reader"
	if got := compare(t, conditional, conditional, seen, fansOut); len(got) > 0 {
		t.Errorf("faults %q", got)
	}
	never := "!If [FansOut, !Ref AWS::NoValue, !Ref AWS::NoValue]"
	want := []string{"role FunctionRole lacks " + reader + ", which Lambda or a service needs in the function's name: add it"}
	if diff := cmp.Diff(want, compare(t, conditional, never, seen, fansOut)); diff != "" {
		t.Errorf("without the right (-want +got):\n%s", diff)
	}
	want = []string{"line 32: role FunctionRole allows " + reader + ", which neither Lambda nor a service needs in the function's name: remove it"}
	always := "{Effect: Allow, Action: \"kinesis:SubscribeToShard\", Resource: !Ref Reader}"
	if diff := cmp.Diff(want, compare(t, conditional, always, seen, nil)); diff != "" {
		t.Errorf("without a consumer of the stream (-want +got):\n%s", diff)
	}
}

// keyIsOpen returns the faults of a key that anybody can use with the function's credentials: one for each action.
func keyIsOpen() []string {
	var faults []string
	for _, action := range []string{"kms:Decrypt", "kms:GenerateDataKey*", "kms:DescribeKey", "kms:Encrypt", "kms:ReEncrypt*"} {
		faults = append(faults, "line 33: role FunctionRole allows "+action+" on arn:aws:kms:eu-west-1:000000000000:key/one: add a condition on kms:ViaService "+
			"with the services that use the key for the function, so that nobody else can use it with the function's credentials")
	}
	return faults
}
