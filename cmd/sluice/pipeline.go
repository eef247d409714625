package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sluice/consumers/leaderboard"
	"sluice/deploy/deployed"
	"sluice/deploy/local/stack"
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

// pipeline is the leaderboard's consumer of some pipeline, as its template's
// outputs tell of it.
type pipeline struct {
	client  *dynamodb.Client
	where   string // for errors
	outputs map[string]string
}

// consumer finds the consumer of the chosen pipeline.
func (f pipelineFlags) consumer(ctx context.Context) (pipeline, error) {
	if f.Stack != "" {
		return deployedConsumer(ctx, f.Stack)
	}
	info, err := f.load(ctx)
	if err != nil {
		return pipeline{}, err
	}
	if info.State != stack.Ready {
		return pipeline{}, fmt.Errorf("the local stack is %s; start it with \"sluice up\", or name a deployed one with --stack", info.State)
	}
	return localConsumer(info), nil
}

// board returns the leaderboard of the chosen pipeline.
func (f pipelineFlags) board(ctx context.Context) (leaderboard.Board, error) {
	c, err := f.consumer(ctx)
	if err != nil {
		return leaderboard.Board{}, err
	}
	return newBoard(c.client, c.where, c.outputs)
}

func localConsumer(info stack.Info) pipeline {
	return pipeline{dynamodb.NewFromConfig(info.DynamoDB()), "the local stack", info.Outputs["leaderboard"]}
}

// localBoard returns the leaderboard of a local stack.
func localBoard(info stack.Info) (leaderboard.Board, error) {
	c := localConsumer(info)
	return newBoard(c.client, c.where, c.outputs)
}

// deployedConsumer finds the consumer in the outputs of a stack on AWS.
func deployedConsumer(ctx context.Context, name string) (pipeline, error) {
	cfg, outputs, err := deployedOutputs(ctx, name, "")
	if err != nil {
		return pipeline{}, err
	}
	return pipeline{dynamodb.NewFromConfig(cfg), "stack " + name, outputs}, nil
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

// newBoard makes a Board of the outputs that the templates promise.
func newBoard(client *dynamodb.Client, where string, outputs map[string]string) (leaderboard.Board, error) {
	var faults []error
	output := func(name string) string {
		value := outputs[name]
		if value == "" {
			faults = append(faults, fmt.Errorf("%s has no output %s", where, name))
		}
		return value
	}
	b := leaderboard.Board{Client: client, ScoreTable: output("ScoreTable"), BoardTable: output("BoardTable"), BoxTable: output("BoxTable"), RankTable: output("RankTable")}
	if text := output("BoardShards"); text != "" {
		shards, err := strconv.Atoi(text)
		if err != nil || shards < 1 {
			faults = append(faults, fmt.Errorf("%s: output BoardShards is %q, want a number from 1", where, text))
		}
		b.Shards = shards
	}
	if len(faults) > 0 {
		return b, fmt.Errorf("%w\nis it a stack of consumers/leaderboard/template.yaml?", errors.Join(faults...))
	}
	return b, nil
}
