package verb

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"sluice/deploy/deployed"
	"sluice/deploy/local/stack"
	"sluice/shared/operate"
	"sluice/shared/sdkhttp"
)

// LocalFlags say which local stack a verb works on.
type LocalFlags struct {
	RunDir string `help:"Where the local stack keeps its state and logs; a second one needs a directory of its own." env:"SLUICE_RUN_DIR" type:"path" placeholder:"DIR"`
}

// Dir returns the local stack's run directory.
func (f LocalFlags) Dir() (string, error) {
	if f.RunDir != "" {
		return f.RunDir, nil
	}
	return stack.DefaultRunDir()
}

// Load returns the state of the local stack.
func (f LocalFlags) Load(ctx context.Context) (stack.Info, error) {
	dir, err := f.Dir()
	if err != nil {
		return stack.Info{}, err
	}
	return stack.Load(ctx, dir)
}

// PipelineFlags say which pipeline a verb works on.
type PipelineFlags struct {
	LocalFlags
	Stack string `help:"Work on AWS instead of the local stack: the CloudFormation stack of this name, the consumer's or one around it; account and region as for the AWS CLI." placeholder:"NAME"`
}

// Ready returns the state of the local stack, which must be ready.
func (f LocalFlags) Ready(ctx context.Context) (stack.Info, error) {
	info, err := f.Load(ctx)
	if err == nil && info.State != stack.Ready {
		err = fmt.Errorf("the local stack is %s; start it with \"sluice up\", or name a deployed one with --stack", info.State)
	}
	return info, err
}

// errNotStarted is returned for a consumer without which the local stack was started.
var errNotStarted = errors.New("not part of this stack")

// RunsElsewhere reports whether an error says that the chosen stack has consumers, but not the one that was asked for.
func RunsElsewhere(err error) bool {
	_, deployed := errors.AsType[*deployed.OtherConsumersError](err)
	return deployed || errors.Is(err, errNotStarted)
}

// Part finds a consumer of the chosen pipeline. [RunsElsewhere] is true for its error if the chosen stack runs without it.
func (f PipelineFlags) Part(ctx context.Context, consumer string) (operate.Part, error) {
	if f.Stack != "" {
		cfg, found, err := DeployedStack(ctx, f.Stack, "", consumer)
		return operate.Part{Consumer: consumer, Where: "stack " + found.Name, Outputs: found.Outputs, Tables: cfg, AWS: cfg}, err
	}
	info, err := f.Ready(ctx)
	if err == nil && info.Outputs[consumer] == nil {
		err = fmt.Errorf("%s is %w, which has %s; \"sluice down\" and then \"sluice up\" start every consumer, with empty tables",
			consumer, errNotStarted, strings.Join(slices.Sorted(maps.Keys(info.Functions)), ", "))
	}
	if err != nil {
		return operate.Part{}, err
	}
	return LocalPart(info, consumer), nil
}

// LocalPart returns a consumer of a local stack.
func LocalPart(info stack.Info, consumer string) operate.Part {
	return operate.Part{Consumer: consumer, Where: "the local stack", Outputs: info.Outputs[consumer], Tables: info.DynamoDB(), AWS: info.AWS()}
}

// DeployedStack finds a consumer's stack on AWS, the one of a name or one nested in it, and how to reach its region; an empty one
// is that of the AWS CLI.
func DeployedStack(ctx context.Context, name, region, consumer string) (aws.Config, deployed.Stack, error) {
	cfg, err := DeployedConfig(ctx, region)
	if err != nil {
		return cfg, deployed.Stack{}, err
	}
	found, err := deployed.Find(ctx, cloudformation.NewFromConfig(cfg), name, consumer)
	return cfg, found, err
}

// DeployedConfig tells how to reach a region of AWS; an empty one is that of the AWS CLI.
func DeployedConfig(ctx context.Context, region string) (aws.Config, error) {
	cfg, err := AWSConfig(ctx, region)
	if err != nil {
		return cfg, err
	}
	if cfg.Region == "" {
		return cfg, errors.New("no AWS region is set, so nothing can be looked up on AWS; set AWS_REGION, or one for good with \"aws configure\"")
	}
	// Asked for at once, or each call would fail with it in its own words.
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return cfg, fmt.Errorf("there are no AWS credentials that can be used; set AWS_PROFILE, or sign in with \"aws sso login\" or \"aws configure\": %w", err)
	}
	return cfg, nil
}

// AWSConfig reads the settings of the AWS CLI, with another region if one is given.
func AWSConfig(ctx context.Context, region string) (aws.Config, error) {
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion(region))
	if err != nil {
		return cfg, fmt.Errorf("read the AWS settings: %w", err)
	}
	cfg.HTTPClient = sdkhttp.Over(cfg.HTTPClient)
	return cfg, nil
}
