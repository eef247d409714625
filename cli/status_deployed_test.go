package cli

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"sluice/deploy/local/servers/servertest"
)

// measured puts values of a metric into CloudWatch, in a minute that is over and will be in the window for some more.
func measured(t *testing.T, cfg aws.Config, namespace, metric, dimension, of string, values ...float64) {
	t.Helper()
	servertest.PutMetric(t, cfg, namespace, metric, dimension, of, time.Now().Add(-2*time.Minute), values...)
}

// The table of a stack on AWS has the columns of the local one; the command that it names for dead letters works as it stands.
func TestStatusOfDeployedStack(t *testing.T) {
	cfg, _ := account(t)
	stream := servertest.CreateStream(t, kinesis.NewFromConfig(cfg), "changes", 1)
	deploy(t, cfg, `{"Resources": {
		"DeadLetters": {"Type": "AWS::SQS::Queue"},
		"Function": {"Type": "AWS::Lambda::Function", "Properties": {"Runtime": "python3.12", "Handler": "index.handler", "Role": "arn:aws:iam::000000000000:role/r", "Code": {"ZipFile": "x = 1"}}},
		"FunctionChanges": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {"FunctionName": {"Ref": "Function"}, "EventSourceArn": "`+stream+`", "StartingPosition": "LATEST"}}
	}, "Outputs": {"Consumer": {"Value": "leaderboard"}, "DeadLetterQueue": {"Value": {"Ref": "DeadLetters"}}}}`)
	dir := t.TempDir()
	want(t, dir, []string{"status", "--stack", "game"}, "Enabled  0     0.0/s  -             0            0       0             -       -\n",
		"BEHIND and LAG are known only of consumers that got changes in the last 5 minutes")

	function := resource(t, cfg, "Function")
	measured(t, cfg, "AWS/Lambda", "Invocations", "FunctionName", function, 20)
	measured(t, cfg, "AWS/Lambda", "Errors", "FunctionName", function, 1)
	measured(t, cfg, "AWS/Lambda", "IteratorAge", "FunctionName", function, 100, 1700)
	measured(t, cfg, "Sluice", "Taken", "Consumer", "leaderboard", 3000)
	measured(t, cfg, "Sluice", "Retried", "Consumer", "leaderboard", 30)
	measured(t, cfg, "Sluice", "ChangeToEffect", "Consumer", "leaderboard", 800, 900, 2500)
	if _, err := sqs.NewFromConfig(cfg).SendMessage(t.Context(), &sqs.SendMessageInput{
		QueueUrl: aws.String(resource(t, cfg, "DeadLetters")), MessageBody: aws.String(`{"consumer": "leaderboard", "reason": "invalid", "data": "e30="}`),
	}); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_REGION", "eu-west-1")
	out, code := run(t, dir, "status", "--stack", "game", "--region", "us-east-1")
	if code != 0 {
		t.Fatalf("exit %d, want 0", code)
	}
	wantTexts(t, out, "On AWS in us-east-1. DONE, RATE, INVOCATIONS and FAILED are of ", "ON THEIR WAY is known of the local stack only.")
	if row := regexp.MustCompile(`(?m)^leaderboard .*`).FindString(out); !regexp.MustCompile(`^leaderboard +us-east-1 +Enabled +2970 +9\.9/s +- +20 +1 +1 +1\.7s +0\.9 s, at most 2\.5 s, 1?m?\d+s ago$`).MatchString(row) {
		t.Errorf("the consumer's row is %q", row)
	}
	named := regexp.MustCompile(`leaderboard: dead letters wait: "sluice (.*)" shows why`).FindStringSubmatch(out)
	if named == nil {
		t.Fatal("no command for the dead letters is named")
	}
	want(t, dir, strings.Fields(named[1]), "1 dead letter, ")
	want(t, dir, []string{"status", "--stack", "game", "--region", "us-east-1", "--json"}, `"done": 2970`, `"rate": 9.9`, `"deadLetters": 1`, `"millisBehind": 1700`, `"medianMs": 900`, `"notes": [`)
}

// resource is the physical ID of a resource of stack game.
func resource(t *testing.T, cfg aws.Config, logicalID string) string {
	t.Helper()
	found, err := cloudformation.NewFromConfig(cfg).DescribeStackResource(t.Context(), &cloudformation.DescribeStackResourceInput{StackName: aws.String("game"), LogicalResourceId: &logicalID})
	if err != nil {
		t.Fatal(err)
	}
	return *found.StackResourceDetail.PhysicalResourceId
}

// Whatever of AWS's settings is missing or wrong, the message says which, and what to do.
func TestStatusWithoutSettingsOfAWS(t *testing.T) {
	cfg, _ := account(t)
	deploy(t, cfg, `{"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}}`)
	for _, name := range []string{"AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_WEB_IDENTITY_TOKEN_FILE"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", t.TempDir()+"/none")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", t.TempDir()+"/none")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true") // this machine may have a role
	for _, c := range []struct {
		name, unset string
		args        string
		texts       []string
	}{
		{"no such stack", "", "status --stack nosuch", []string{"sluice status: look up stack nosuch in region us-east-1", "does not exist", "aws cloudformation list-stacks --region us-east-1"}},
		{"one of two", "", "status --stack game,nosuch", []string{"stack game (CREATE_COMPLETE) has no consumer"}},
		{"another region", "", "status --stack game --region eu-west-1", []string{"look up stack game in region eu-west-1", "AWS_REGION and AWS_PROFILE look elsewhere"}},
		{"watched", "", "status --stack nosuch --watch", []string{"look up stack nosuch"}},
		{"no region", "AWS_REGION", "status --stack game", []string{"no AWS region is set", "set AWS_REGION", "aws configure"}},
		{"no credentials", "AWS_ACCESS_KEY_ID", "status --stack game", []string{"there are no AWS credentials that can be used", "set AWS_PROFILE", "aws sso login"}},
		{"another verb", "AWS_ACCESS_KEY_ID", "top --stack game", []string{"there are no AWS credentials that can be used"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.unset != "" {
				t.Setenv(c.unset, "")
			}
			out, code := run(t, t.TempDir(), strings.Fields(c.args)...)
			if code == 0 {
				t.Error("exit 0")
			}
			wantTexts(t, out, c.texts...)
		})
	}
}
