package cli

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"sluice/cli/verb"
	"sluice/consumers/badges"
	badgesops "sluice/consumers/badges/ops"
	"sluice/consumers/badges/rule"
	"sluice/shared/operate"
)

// badgePipeline is the badges' consumer of some pipeline.
type badgePipeline struct {
	tables, topics aws.Config // how to reach DynamoDB, and SNS
	settings       badges.Settings
	book           *rule.Book
}

// badgesOf finds the badges' consumer of the chosen pipeline. Its rules are those in this
// program.
func badgesOf(ctx context.Context, f verb.PipelineFlags) (badgePipeline, error) {
	p, err := f.Part(ctx, "badges")
	if err != nil {
		return badgePipeline{}, err
	}
	return newBadgePipeline(p)
}

// newBadgePipeline makes it of the badges' outputs.
func newBadgePipeline(part operate.Part) (badgePipeline, error) {
	p := badgePipeline{tables: part.Tables, topics: part.AWS, settings: badges.DefaultSettings()}
	if err := part.Read(&p.settings); err != nil {
		return p, err
	}
	if err := p.settings.Validate(); err != nil {
		return p, err
	}
	var err error
	p.book, err = p.settings.Rules()
	return p, err
}

func (p badgePipeline) auditor(segments int) *badgesops.Auditor {
	return badgesops.NewAuditor(dynamodb.NewFromConfig(p.tables), sns.NewFromConfig(p.topics), p.settings, p.book, segments)
}

func (p badgePipeline) reader() *badgesops.Reader {
	return badgesops.NewReader(dynamodb.NewFromConfig(p.tables), p.settings, p.book)
}
