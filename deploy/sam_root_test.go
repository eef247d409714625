package deploy_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"sluice/deploy/deployed"
	"sluice/deploy/local/servers"
	"sluice/deploy/local/servers/servertest"
)

// The whole pipeline is one stack, with all its parts in it.
func deployRoot(c *cloud, built string) {
	t := c.t
	c.deploy(replicaRegion, "destination", "consumers/replication/destination.yaml", nil)
	dir := c.expanded(built)
	outputs := c.deploy(servertest.Region, "sluice", filepath.Join(dir, "template.yaml"), map[string]string{
		"ReplicaRegion": replicaRegion, "SearchEndpoint": "https://search.example", "LogRetentionDays": "7",
	})

	client := cloudformation.NewFromConfig(c.config)
	parts, err := client.DescribeStackResources(t.Context(), &cloudformation.DescribeStackResourcesInput{StackName: new("sluice")})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, part := range parts.StackResources {
		names = append(names, *part.LogicalResourceId)
		if part.ResourceStatus != types.ResourceStatusCreateComplete || *part.ResourceType != "AWS::CloudFormation::Stack" {
			t.Errorf("%s, a %s, is %s: %v", *part.LogicalResourceId, *part.ResourceType, part.ResourceStatus, part.ResourceStatusReason)
		}
	}
	slices.Sort(names)
	var want []string
	for _, a := range resolveWith(t, "../template.yaml", map[string]string{"ReplicaRegion": replicaRegion, "SearchEndpoint": "https://search.example"}).Applications {
		want = append(want, a.LogicalID)
	}
	if slices.Sort(want); !slices.Equal(names, want) {
		t.Errorf("the stack has %q, want %q", names, want)
	}
	for _, name := range []string{"LeaderboardStack", "ReplicationStack", "SearchStack", "BadgesStack"} {
		if function := c.outputs(servertest.Region, outputs[name])["FunctionName"]; function == "" {
			t.Errorf("%s, %q, has no function", name, outputs[name])
		}
	}

	c.carry(c.outputs(servertest.Region, partOf(parts.StackResources, "Stream"))["StreamName"], outputs["ScoreTable"])
	play := c.play("ada", "2026-01-02 03:04:05.000001", 9)
	c.wantCopy(play)
	c.wantScore(c.outputs(servertest.Region, outputs["LeaderboardStack"])["BoardTable"], "ada", "9")
	c.wantConsumers("sluice", consumers(t)...)
}

// consumers are the names of all consumers, sorted.
func consumers(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob("../consumers/*/template.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("found no consumers: %v", err)
	}
	for i, path := range paths {
		paths[i] = filepath.Base(filepath.Dir(path))
	}
	return paths
}

// wantConsumers compares the consumers that sluice status finds in a stack. What it tells of their mappings isn't asked for:
// ministack has numbers that come from a parameter as text, which no client reads.
func (c *cloud) wantConsumers(stack string, want ...string) {
	c.t.Helper()
	status, err := deployed.Read(c.t.Context(), c.config, []string{stack}, time.Now())
	if err != nil {
		c.t.Fatal(err)
	}
	var names []string
	for _, consumer := range status.Consumers {
		names = append(names, consumer.Name)
	}
	if !slices.Equal(names, want) {
		c.t.Errorf("stack %s has the consumers %q, want %q; %q", stack, names, want, status.Notes)
	}
}

// remove deletes a stack. Not by sam delete, which takes no copy of a template within another for one unless it is in AWS's own S3.
func (c *cloud) remove(stack string) {
	c.t.Helper()
	client := cloudformation.NewFromConfig(c.config)
	_, err := client.DeleteStack(c.t.Context(), &cloudformation.DeleteStackInput{StackName: &stack})
	if err == nil {
		err = cloudformation.NewStackDeleteCompleteWaiter(client, func(o *cloudformation.StackDeleteCompleteWaiterOptions) {
			o.MinDelay, o.MaxDelay = 100*time.Millisecond, time.Second
		}).Wait(c.t.Context(), &cloudformation.DescribeStacksInput{StackName: &stack}, time.Minute)
	}
	if err != nil {
		c.t.Fatalf("delete stack %s: %v", stack, err)
	}
}

func partOf(parts []types.StackResource, name string) (stack string) {
	for _, part := range parts {
		if *part.LogicalResourceId == name {
			return *part.PhysicalResourceId
		}
	}
	return ""
}

// location is where a template has the one within it: that of its alarms.
var location = regexp.MustCompile(`(?m)^ +Location: .+$`)

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// expanded returns a copy of what was built, with what CloudFormation does on AWS and ministack doesn't, the SAM transform of the
// templates within another.
func (c *cloud) expanded(built string) (dir string) {
	c.t.Helper()
	dir = filepath.Join(c.t.TempDir(), "expanded")
	if err := os.CopyFS(dir, os.DirFS(built)); err != nil {
		c.t.Fatal(err)
	}
	var nested []string
	if err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Name() == "template.yaml" && filepath.Dir(path) != dir {
			nested = append(nested, path)
		}
		return err
	}); err != nil || len(nested) == 0 {
		c.t.Fatalf("found %d nested templates in %s: %v", len(nested), dir, err)
	}
	for _, path := range nested {
		// Code is told by its place in S3 before the transform, as sam deploy does it; further templates after it.
		if code, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*", "bootstrap")); err != nil {
			c.t.Fatal(err)
		} else if len(code) > 0 {
			before := readFile(c.t, path)
			c.sam(servertest.Region, "package", "--template-file", path, "--output-template-file", path, "--resolve-s3", "--no-progressbar", "--region", servertest.Region)
			// The templates within are packaged by sam deploy, once they are expanded too.
			own := location.Find(before)
			if err := os.WriteFile(path, location.ReplaceAllLiteral(readFile(c.t, path), own), 0o600); err != nil {
				c.t.Fatal(err)
			}
		}
	}
	if err := servers.ExpandTemplates(c.t.Context(), servertest.Region, nested...); err != nil {
		c.t.Fatal(err)
	}
	for _, path := range nested {
		c.replaceAlarms(path)
	}
	return dir
}

// replaceAlarms replaces those alarms of an expanded template that ministack refuses: what computes with several metrics,
// or is made of several alarms.
func (c *cloud) replaceAlarms(path string) {
	c.t.Helper()
	text := readFile(c.t, path)
	var template map[string]any
	if err := json.Unmarshal(text, &template); err != nil {
		c.t.Fatalf("%s: %v", path, err)
	}
	resources := template["Resources"].(map[string]any)
	for name, resource := range resources {
		kind := resource.(map[string]any)["Type"]
		properties, _ := resource.(map[string]any)["Properties"].(map[string]any)
		if kind == "AWS::CloudWatch::CompositeAlarm" || kind == "AWS::CloudWatch::Alarm" && properties["Metrics"] != nil {
			resources[name] = map[string]any{"Type": "AWS::CloudFormation::WaitConditionHandle"} // a template must have something
		}
	}
	text, err := json.Marshal(template)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		c.t.Fatal(err)
	}
}
