package deployed

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"
)

// Stack is a CloudFormation stack that is there.
type Stack struct {
	Name     string
	Status   string // in CloudFormation's words
	Outputs  map[string]string
	Function string // of the consumer, if the stack has one: the physical ID of a function that is called Function in the template
}

// Consumer is the name of the stack's consumer, or empty if its template doesn't say.
func (s Stack) Consumer() string { return s.Outputs["Consumer"] }

// Find returns the stack of a consumer: the one of this name, or else the one nested in it, at any depth, whose output Consumer
// is the consumer's name. Where no stack has that output, as with templates of earlier versions, it is the one of this name.
// It returns an *OtherConsumersError if its consumers are others.
func Find(ctx context.Context, client *cloudformation.Client, name, consumer string) (Stack, error) {
	var all, found []Stack
	var others []string
	for s, err := range stacks(ctx, client, name) {
		if err != nil {
			return Stack{}, err
		}
		all = append(all, s)
		switch s.Consumer() {
		case "":
		case consumer:
			if found = append(found, s); len(all) == 1 {
				return s, nil
			}
		default:
			others = append(others, s.Consumer())
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return Stack{}, fmt.Errorf("stack %s has %d nested stacks of consumer %s; name one of them, such as %s", name, len(found), consumer, found[0].Name)
	case len(others) > 0:
		return Stack{}, &OtherConsumersError{Stack: name, Consumer: consumer, Others: others}
	}
	return all[0], nil
}

// stacks walks over the stack of a name or ID and those nested in it, outermost first. It ends with the first error.
func stacks(ctx context.Context, client *cloudformation.Client, name string) iter.Seq2[Stack, error] {
	return func(yield func(Stack, error) bool) {
		s, nested, err := describe(ctx, client, name)
		if !yield(s, err) || err != nil {
			return
		}
		for _, id := range nested {
			for s, err := range stacks(ctx, client, id) {
				if !yield(s, err) || err != nil {
					return
				}
			}
		}
	}
}

func describe(ctx context.Context, client *cloudformation.Client, name string) (s Stack, nested []string, err error) {
	region := client.Options().Region
	out, err := client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
	if refused, ok := errors.AsType[smithy.APIError](err); ok && refused.ErrorCode() == "ValidationError" {
		return s, nil, fmt.Errorf("look up stack %s in region %s: %s; \"aws cloudformation list-stacks --region %[2]s\" shows those that are there, "+
			"AWS_REGION and AWS_PROFILE look elsewhere", name, region, refused.ErrorMessage())
	}
	if err != nil {
		return s, nil, fmt.Errorf("look up stack %s in region %s: %w", name, region, err)
	}
	found := out.Stacks[0]
	s = Stack{Name: aws.ToString(found.StackName), Status: string(found.StackStatus), Outputs: map[string]string{}}
	for _, o := range found.Outputs {
		s.Outputs[aws.ToString(o.OutputKey)] = aws.ToString(o.OutputValue)
	}
	pages := cloudformation.NewListStackResourcesPaginator(client, &cloudformation.ListStackResourcesInput{StackName: found.StackId})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return s, nil, fmt.Errorf("list the resources of stack %s: %w", s.Name, err)
		}
		for _, resource := range page.StackResourceSummaries {
			id := aws.ToString(resource.PhysicalResourceId)
			if id == "" || resource.ResourceStatus == types.ResourceStatusDeleteComplete {
				continue // not made yet, or gone
			}
			switch aws.ToString(resource.ResourceType) {
			case "AWS::CloudFormation::Stack":
				nested = append(nested, id)
			case "AWS::Lambda::Function":
				// A stack may have other functions too, such as one that makes something while it is deployed.
				if aws.ToString(resource.LogicalResourceId) == "Function" {
					s.Function = id
				}
			}
		}
	}
	return s, nested, nil
}

func (r *reader) find(ctx context.Context, name string) error {
	before := len(r.Consumers)
	status := ""
	for s, err := range stacks(ctx, r.cloudFormation, name) {
		if err != nil {
			return err
		}
		status = cmp.Or(status, s.Status)
		if s.Function != "" {
			r.add(s)
		}
	}
	if len(r.Consumers) == before {
		return fmt.Errorf("stack %s (%s) has no consumer, nor has one nested in it: no function that is called Function in its template; "+
			"name a stack of a consumer's template, such as consumers/leaderboard/template.yaml, or the stack around them", name, status)
	}
	return nil
}

func (r *reader) add(s Stack) {
	c := Consumer{Name: s.Consumer(), Stack: s.Name, Function: s.Function, Mappings: []Mapping{}, queue: s.Outputs["DeadLetterQueue"]}
	if tables := s.Outputs["SourceTables"]; tables != "" {
		c.sources = strings.Split(tables, ",")
	}
	if c.counted = c.Name != ""; !c.counted {
		c.Name = s.Name
		r.note("stack %s has no output Consumer, the name by which the metrics that it logs can be found; deploy it again with this version's template", s.Name)
	}
	r.Consumers = append(r.Consumers, c)
}
