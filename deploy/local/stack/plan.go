package stack

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"sluice/deploy/local/template"
)

// streamTemplate is the name of deploy/stream.yaml among the templates.
const streamTemplate = "stream"

// plan is what the templates of a checkout ask for.
type plan struct {
	stream    *template.Resources
	consumers []consumerPlan
}

type consumerPlan struct {
	name      string
	resources *template.Resources
	function  template.Function
	mapping   template.KinesisMapping
}

// readPlan reads and resolves all templates below root. A consumer's parameters that have the name of an output of
// deploy/stream.yaml get that output's value.
func readPlan(root, region, queueEndpoint string) (*plan, error) {
	scope := template.Scope{StackName: "sluice", Region: region, AccountID: accountID, QueueEndpoint: queueEndpoint}
	path := filepath.Join(root, "deploy", "stream.yaml")
	read, err := template.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is no checkout of Sluice: %w", root, err)
	}
	if err != nil {
		return nil, err
	}
	p := &plan{}
	if p.stream, err = read.Resolve(scope); err != nil {
		return nil, err
	}
	paths, err := filepath.Glob(filepath.Join(root, "consumers", "*", "template.yaml"))
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		consumer, err := readConsumer(path, scope, p.stream.Outputs)
		if err != nil {
			return nil, err
		}
		p.consumers = append(p.consumers, consumer)
	}
	return p, nil
}

func readConsumer(path string, scope template.Scope, outputs map[string]string) (consumerPlan, error) {
	c := consumerPlan{name: filepath.Base(filepath.Dir(path))}
	read, err := template.Read(path)
	if err != nil {
		return c, err
	}
	scope.StackName += "-" + c.name
	scope.Parameters = map[string]string{}
	for _, parameter := range read.Parameters {
		if value, ok := outputs[parameter.Name]; ok {
			scope.Parameters[parameter.Name] = value
		}
	}
	if c.resources, err = read.Resolve(scope); err != nil {
		return c, err
	}
	if n := len(c.resources.Functions); n != 1 {
		return c, fmt.Errorf("%s has %d functions; a consumer is one function", path, n)
	}
	c.function = c.resources.Functions[0]
	if n := len(c.function.Mappings); n != 1 {
		return c, fmt.Errorf("%s: function %s has %d events of type Kinesis; a consumer has one", path, c.function.LogicalID, n)
	}
	c.mapping = c.function.Mappings[0]
	return c, nil
}

// all returns the resources of every template.
func (p *plan) all() []*template.Resources {
	all := []*template.Resources{p.stream}
	for _, c := range p.consumers {
		all = append(all, c.resources)
	}
	return all
}

// outputs returns the outputs of every template.
func (p *plan) outputs() map[string]map[string]string {
	outputs := map[string]map[string]string{streamTemplate: p.stream.Outputs}
	for _, c := range p.consumers {
		outputs[c.name] = c.resources.Outputs
	}
	return outputs
}

// streamName returns the name of the stream with the ARN.
func (p *plan) streamName(arn string) (string, error) {
	for _, resources := range p.all() {
		for _, stream := range resources.Streams {
			if stream.ARN == arn {
				return stream.Name, nil
			}
		}
	}
	return "", fmt.Errorf("no template has the stream %s", arn)
}

// environment is what Lambda would give to the function, with the local endpoints.
func (c consumerPlan) environment(info Info) []string {
	env := []string{
		"AWS_REGION=" + info.Region,
		"AWS_ACCESS_KEY_ID=" + accessKey,
		"AWS_SECRET_ACCESS_KEY=" + secretKey,
		"AWS_ENDPOINT_URL=" + info.Endpoints.AWS,
		"AWS_ENDPOINT_URL_DYNAMODB=" + info.Endpoints.DynamoDB,
	}
	for name, value := range c.function.Environment {
		env = append(env, name+"="+value)
	}
	slices.Sort(env)
	return env
}

// build makes the function's binary as for Lambda's provided.al2023, except that it is for this machine: Lambda may
// run it on another architecture.
func (c consumerPlan) build(ctx context.Context, binary string) error {
	source, err := filepath.Abs(c.function.CodeDir)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", binary, ".")
	cmd.Dir = source
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("build consumer %s in %s: %w\n%s", c.name, source, err, strings.TrimSpace(string(out)))
	}
	return nil
}
