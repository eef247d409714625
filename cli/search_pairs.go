package cli

import (
	"context"
	"net/url"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"sluice/cli/verb"
	"sluice/consumers/search"
	searchops "sluice/consumers/search/ops"
	"sluice/shared/operate"
)

// searchSettingsOf returns how to reach the tables and OpenSearch of the chosen
// pipeline, and what search's template says about them.
func searchSettingsOf(ctx context.Context, f verb.PipelineFlags) (aws.Config, search.Settings, error) {
	p, err := f.Part(ctx, "search")
	if err != nil {
		return aws.Config{}, search.Settings{}, err
	}
	s, err := newSearchSettings(p)
	return p.Tables, s, err
}

// newSearchSettings makes settings of search's outputs. A user and a password come from the environment.
func newSearchSettings(p operate.Part) (search.Settings, error) {
	s := search.DefaultSettings()
	if err := p.Read(&s); err != nil {
		return s, err
	}
	if u, err := url.Parse(s.Endpoint); err == nil && strings.Contains(u.Hostname(), ".aoss.") {
		s.Service = "aoss" // a serverless collection
	}
	s.User, s.Password = os.Getenv("SEARCH_USER"), os.Getenv("SEARCH_PASSWORD")
	return s, s.Validate()
}

// searchOperatorsOf returns the tables of the chosen pipeline with their indexes.
func searchOperatorsOf(ctx context.Context, f verb.PipelineFlags) ([]*searchops.Operator, error) {
	cfg, s, err := searchSettingsOf(ctx, f)
	if err != nil {
		return nil, err
	}
	return searchops.Operators(cfg, s)
}
