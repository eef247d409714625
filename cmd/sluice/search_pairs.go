package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"sluice/consumers/search"
	"sluice/deploy/local/stack"
)

// searchSettings returns how to reach the tables and OpenSearch of the chosen
// pipeline, and what search's template says about them.
func (f pipelineFlags) searchSettings(ctx context.Context) (aws.Config, search.Settings, error) {
	if f.Stack != "" {
		cfg, outputs, err := deployedOutputs(ctx, f.Stack, "")
		if err != nil {
			return cfg, search.Settings{}, err
		}
		s, err := newSearchSettings("stack "+f.Stack, outputs)
		return cfg, s, err
	}
	info, err := f.load(ctx)
	if err != nil {
		return aws.Config{}, search.Settings{}, err
	}
	if info.State != stack.Ready {
		return aws.Config{}, search.Settings{}, fmt.Errorf("the local stack is %s; start it with \"sluice up\", or name a deployed one with --stack", info.State)
	}
	return localSearchSettings(info)
}

// localSearchSettings returns them for a local stack.
func localSearchSettings(info stack.Info) (aws.Config, search.Settings, error) {
	s, err := newSearchSettings("the local stack", info.Outputs["search"])
	return info.DynamoDB(), s, err
}

// newSearchSettings makes settings of the outputs that search's template promises.
// A user and a password come from the environment.
func newSearchSettings(where string, outputs map[string]string) (search.Settings, error) {
	var faults []error
	output := func(name string) string {
		value := outputs[name]
		if value == "" {
			faults = append(faults, fmt.Errorf("%s has no output %s", where, name))
		}
		return value
	}
	s := search.DefaultSettings()
	s.Endpoint, s.Auth = output("SearchEndpoint"), search.Auth(output("SearchAuth"))
	s.PetTable, s.BoardTable, s.ScoreTable = output("PetTable"), output("BoardTable"), output("ScoreTable")
	if len(faults) > 0 {
		return s, fmt.Errorf("%w\nis it a stack of consumers/search/template.yaml?", errors.Join(faults...))
	}
	if u, err := url.Parse(s.Endpoint); err == nil && strings.Contains(u.Hostname(), ".aoss.") {
		s.Service = "aoss" // a serverless collection
	}
	s.User, s.Password = os.Getenv("SEARCH_USER"), os.Getenv("SEARCH_PASSWORD")
	return s, s.Validate()
}

// searchPairs returns the tables of the chosen pipeline with their indexes.
func (f pipelineFlags) searchPairs(ctx context.Context) ([]*search.Pair, error) {
	cfg, s, err := f.searchSettings(ctx)
	if err != nil {
		return nil, err
	}
	return search.Pairs(cfg, s)
}
