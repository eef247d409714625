package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sluice/consumers/leaderboard"
	"sluice/consumers/leaderboard/boards"
	"sluice/deploy/deployed"
	"sluice/deploy/local/stack"
	"sluice/shared/operate"
	"sluice/shared/sdkhttp"
)

// localFlags say which local stack a verb works on.
type localFlags struct {
	RunDir string `help:"Where the local stack keeps its state and logs; a second one needs a directory of its own." env:"SLUICE_RUN_DIR" type:"path" placeholder:"DIR"`
}

// runDir returns the local stack's run directory.
func (f localFlags) runDir() (string, error) {
	if f.RunDir != "" {
		return f.RunDir, nil
	}
	return stack.DefaultRunDir()
}

// load returns the state of the local stack.
func (f localFlags) load(ctx context.Context) (stack.Info, error) {
	dir, err := f.runDir()
	if err != nil {
		return stack.Info{}, err
	}
	return stack.Load(ctx, dir)
}

// pipelineFlags say which pipeline a verb works on.
type pipelineFlags struct {
	localFlags
	Stack string `help:"Work on the CloudFormation stack of this name on AWS instead of the local one; account and region as for the AWS CLI." placeholder:"NAME"`
}

// ready returns the state of the local stack, which must be ready.
func (f localFlags) ready(ctx context.Context) (stack.Info, error) {
	info, err := f.load(ctx)
	if err == nil && info.State != stack.Ready {
		err = fmt.Errorf("the local stack is %s; start it with \"sluice up\", or name a deployed one with --stack", info.State)
	}
	return info, err
}

// part finds a consumer of the chosen pipeline.
func (f pipelineFlags) part(ctx context.Context, consumer string) (operate.Part, error) {
	if f.Stack != "" {
		cfg, outputs, err := deployedOutputs(ctx, f.Stack, "")
		return operate.Part{Consumer: consumer, Where: "stack " + f.Stack, Outputs: outputs, Tables: cfg, AWS: cfg}, err
	}
	info, err := f.ready(ctx)
	if err != nil {
		return operate.Part{}, err
	}
	return localPart(info, consumer), nil
}

// localPart returns a consumer of a local stack.
func localPart(info stack.Info, consumer string) operate.Part {
	return operate.Part{Consumer: consumer, Where: "the local stack", Outputs: info.Outputs[consumer], Tables: info.DynamoDB(), AWS: info.AWS()}
}

// board returns the leaderboard of the chosen pipeline.
func (f pipelineFlags) board(ctx context.Context) (boards.Board, error) {
	p, err := f.part(ctx, "leaderboard")
	if err != nil {
		return boards.Board{}, err
	}
	return newBoard(p)
}

// newBoard makes a Board of the leaderboard's outputs.
func newBoard(p operate.Part) (boards.Board, error) {
	s, err := leaderboardSettings(p)
	if err != nil {
		return boards.Board{}, err
	}
	views, err := s.Views()
	return boards.Board{
		Client: dynamodb.NewFromConfig(p.Tables), ScoreTable: s.ScoreTable, BoardTable: s.BoardTable, BoxTable: s.BoxTable, RankTable: s.RankTable,
		Shards: s.Shards, Views: views,
	}, err
}

// leaderboardSettings makes settings of the leaderboard's outputs.
func leaderboardSettings(p operate.Part) (leaderboard.Settings, error) {
	s := leaderboard.DefaultSettings()
	if err := p.Read(&s); err != nil {
		return s, err
	}
	return s, s.Validate()
}

// deployedOutputs reads the outputs of a stack on AWS, and how to reach its region; an empty one is that of the AWS CLI.
func deployedOutputs(ctx context.Context, name, region string) (aws.Config, map[string]string, error) {
	cfg, err := deployedConfig(ctx, region)
	if err != nil {
		return cfg, nil, err
	}
	found, err := deployed.Describe(ctx, cloudformation.NewFromConfig(cfg), name)
	return cfg, deployed.Outputs(found), err
}

// deployedConfig tells how to reach a region of AWS; an empty one is that of the AWS CLI.
func deployedConfig(ctx context.Context, region string) (aws.Config, error) {
	cfg, err := awsConfig(ctx, region)
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

// awsConfig reads the settings of the AWS CLI, with another region if one is given.
func awsConfig(ctx context.Context, region string) (aws.Config, error) {
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion(region))
	if err != nil {
		return cfg, fmt.Errorf("read the AWS settings: %w", err)
	}
	cfg.HTTPClient = sdkhttp.Over(cfg.HTTPClient)
	return cfg, nil
}
