package cli

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"sluice/cli/verb"
	"sluice/deploy/local/mapping/function"
	"sluice/deploy/local/stack"
	"sluice/shared/consumer"
	"sluice/shared/redrive"
)

// localConsumerFunction finds a consumer's function on the local stack. region is empty for the home region.
func localConsumerFunction(info stack.Info, name, region string) (stack.Function, error) {
	if info.State != stack.Ready {
		return stack.Function{}, fmt.Errorf("the local stack is %s; start it with \"sluice up\"", info.State)
	}
	if region == "" {
		region = info.Region
	}
	if !slices.Contains(info.Regions(), region) {
		return stack.Function{}, errNoRegion(info, region)
	}
	functions := info.In(region).Functions
	f, ok := functions[name]
	if !ok {
		return f, fmt.Errorf("there is no consumer %s in %s; there are: %s", name, region, strings.Join(slices.Sorted(maps.Keys(functions)), ", "))
	}
	return f, nil
}

func errNoRegion(info stack.Info, region string) error {
	return fmt.Errorf("no consumer runs in region %s; there are: %s", region, strings.Join(info.Regions(), ", "))
}

// metricsPatience is how long an answer waits for the metrics that tell more of it.
const metricsPatience = 2 * time.Second

// localFunction runs a consumer's own binary, as its mapping does.
type localFunction struct {
	instance *function.Instance

	mu      sync.Mutex
	log     bytes.Buffer  // of the current invocation
	metrics chan struct{} // closed once log has its line of metrics
}

var _ redrive.Function = (*localFunction)(nil)

// newLocalFunction makes it. Close ends the binary.
func newLocalFunction(name string, f stack.Function, clientContext string) (*localFunction, error) {
	l := &localFunction{}
	c := f.Config(name)
	c.Output, c.ClientContext = l, clientContext
	var err error
	l.instance, err = function.New(c)
	return l, err
}

// Write takes what the function writes.
func (l *localFunction) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.metrics != nil && bytes.HasPrefix(line, []byte(`{"_aws"`)) {
		close(l.metrics)
		l.metrics = nil
	}
	return l.log.Write(line)
}

// Invoke implements redrive.Function.
func (l *localFunction) Invoke(ctx context.Context, payload []byte) (redrive.Reply, error) {
	metrics := make(chan struct{})
	l.mu.Lock()
	l.log.Reset()
	l.metrics = metrics
	l.mu.Unlock()
	answer, err := l.instance.Invoke(ctx, payload, nil)
	if err != nil {
		return redrive.Reply{}, err
	}
	if answer.Failure == nil {
		// The function writes its metrics before it answers, but they come another way.
		select {
		case <-metrics:
		case <-time.After(metricsPatience):
		case <-ctx.Done():
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return replyOf(answer, bytes.Clone(l.log.Bytes())), nil
}

// replyOf makes a reply of a binary's answer.
func replyOf(answer *function.Answer, log []byte) redrive.Reply {
	reply := redrive.Reply{Answer: answer.Body, Log: log}
	if answer.Failure != nil { // not as it is: a nil pointer in an interface is no nil
		reply.Failure = answer.Failure
	}
	return reply
}

// Close ends the binary.
func (l *localFunction) Close() { l.instance.Close() }

// deployedFunction is a function on AWS.
type deployedFunction struct {
	client *lambda.Client
	name   string
}

var _ redrive.Function = deployedFunction{}

// Invoke implements redrive.Function.
func (d deployedFunction) Invoke(ctx context.Context, payload []byte) (redrive.Reply, error) {
	out, err := d.client.Invoke(ctx, &lambda.InvokeInput{
		FunctionName: &d.name, Payload: payload, LogType: lambdatypes.LogTypeTail, // the last 4 KB, which the metrics end
		ClientContext: aws.String(base64.StdEncoding.EncodeToString([]byte(consumer.RedriveContext))),
	})
	if err != nil {
		return redrive.Reply{}, fmt.Errorf("invoke function %s: %w", d.name, err)
	}
	log, err := base64.StdEncoding.DecodeString(aws.ToString(out.LogResult))
	if err != nil {
		log = nil // it only serves to tell more
	}
	reply := redrive.Reply{Answer: out.Payload, Log: log}
	if out.FunctionError != nil {
		reply.Failure = fmt.Errorf("the function failed (%s): %.1000s", *out.FunctionError, out.Payload)
	}
	return reply, nil
}

// redriveLocal makes the redrive of a consumer of the local stack, and what ends its function.
func redriveLocal(info stack.Info, name, region string) (*redrive.Redrive, func(), error) {
	f, err := localConsumerFunction(info, name, region)
	if err != nil {
		return nil, nil, err
	}
	cfg := info.AWS()
	if region != "" {
		cfg.Region = region
	}
	url := info.In(cfg.Region).Outputs[name]["DeadLetterQueue"]
	if url == "" {
		return nil, nil, errNoQueue(name + " on the local stack")
	}
	local, err := newLocalFunction(name, f, consumer.RedriveContext)
	if err != nil {
		return nil, nil, err
	}
	return newRedrive(name, cfg, url, local), local.Close, nil
}

// redriveDeployed makes the redrive of a consumer deployed on AWS, whose stack is the named one or nested in it. region is empty for that of the AWS CLI.
func redriveDeployed(ctx context.Context, stackName, region, name string) (*redrive.Redrive, error) {
	cfg, found, err := verb.DeployedStack(ctx, stackName, region, name)
	if err != nil {
		return nil, err
	}
	url := found.Outputs["DeadLetterQueue"]
	if url == "" {
		return nil, errNoQueue("stack " + found.Name)
	}
	if found.Function == "" {
		return nil, fmt.Errorf("stack %s has no function yet that is called Function in its template; is it deployed whole?", found.Name)
	}
	return newRedrive(name, cfg, url, deployedFunction{lambda.NewFromConfig(cfg), found.Function}), nil
}

func errNoQueue(of string) error {
	return errors.New(of + " has no output DeadLetterQueue, the URL of the queue with its dead letters; its template has to have one, as consumers/leaderboard/template.yaml")
}

func newRedrive(name string, cfg aws.Config, url string, f redrive.Function) *redrive.Redrive {
	return &redrive.Redrive{
		Consumer: name, SQS: sqs.NewFromConfig(cfg), URL: url, Kinesis: kinesis.NewFromConfig(cfg), Function: f,
		S3:         s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = cfg.BaseEndpoint != nil }),
		Visibility: redrive.DefaultVisibility,
	}
}
