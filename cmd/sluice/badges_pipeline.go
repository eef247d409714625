package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"sluice/consumers/badges"
	"sluice/consumers/badges/rule"
	"sluice/deploy/local/stack"
)

// badgePipeline is the badges' consumer of some pipeline.
type badgePipeline struct {
	tables, topics aws.Config // how to reach DynamoDB, and SNS
	settings       badges.Settings
	book           *rule.Book
}

// badges finds the badges' consumer of the chosen pipeline. Its rules are those in this
// program.
func (f pipelineFlags) badges(ctx context.Context) (badgePipeline, error) {
	if f.Stack != "" {
		cfg, outputs, err := deployedOutputs(ctx, f.Stack, "")
		if err != nil {
			return badgePipeline{}, err
		}
		return newBadgePipeline(cfg, cfg, "stack "+f.Stack, outputs)
	}
	info, err := f.load(ctx)
	if err != nil {
		return badgePipeline{}, err
	}
	if info.State != stack.Ready {
		return badgePipeline{}, fmt.Errorf("the local stack is %s; start it with \"sluice up\", or name a deployed one with --stack", info.State)
	}
	return localBadges(info)
}

func localBadges(info stack.Info) (badgePipeline, error) {
	return newBadgePipeline(info.DynamoDB(), info.AWS(), "the local stack", info.Outputs["badges"])
}

// newBadgePipeline makes it of the outputs that the badges' template promises.
func newBadgePipeline(tables, topics aws.Config, where string, outputs map[string]string) (badgePipeline, error) {
	p := badgePipeline{tables: tables, topics: topics, settings: badges.DefaultSettings()}
	var faults []error
	for name, to := range map[string]*string{
		"ScoreTable": &p.settings.ScoreTable, "PetTable": &p.settings.PetTable, "AchievementTable": &p.settings.AchievementTable,
		"StateTable": &p.settings.StateTable, "LedgerTable": &p.settings.LedgerTable, "TopicArn": &p.settings.TopicARN, "NoticeLanguage": &p.settings.Language,
	} {
		if *to = outputs[name]; *to == "" {
			faults = append(faults, fmt.Errorf("%s has no output %s", where, name))
		}
	}
	var err error
	if p.settings.CountTTLDeletes, err = strconv.ParseBool(outputs["CountTTLDeletes"]); err != nil {
		faults = append(faults, fmt.Errorf("%s: output CountTTLDeletes: %w", where, err))
	}
	if p.settings.Horizon, err = time.ParseDuration(outputs["Horizon"]); err != nil {
		faults = append(faults, fmt.Errorf("%s: output Horizon: %w", where, err))
	}
	if len(faults) > 0 {
		return p, fmt.Errorf("%w\nis it a stack of this version of consumers/badges/template.yaml?", errors.Join(faults...))
	}
	if err := p.settings.Validate(); err != nil {
		return p, err
	}
	p.book, err = p.settings.Rules()
	return p, err
}

func (p badgePipeline) auditor() *badges.Auditor {
	return badges.NewAuditor(dynamodb.NewFromConfig(p.tables), sns.NewFromConfig(p.topics), p.settings, p.book)
}

func (p badgePipeline) reader() *badges.Reader {
	return badges.NewReader(dynamodb.NewFromConfig(p.tables), p.settings, p.book)
}
