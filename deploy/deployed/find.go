package deployed

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"
)

// Describe looks a stack up by its name or ID. It returns a *NoStackError if there is none.
func Describe(ctx context.Context, client *cloudformation.Client, name string) (types.Stack, error) {
	region := client.Options().Region
	out, err := client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
	if refused, ok := errors.AsType[smithy.APIError](err); ok && refused.ErrorCode() == "ValidationError" {
		return types.Stack{}, &NoStackError{Stack: name, Region: region, Message: refused.ErrorMessage()}
	}
	if err != nil {
		return types.Stack{}, fmt.Errorf("look up stack %s in region %s: %w", name, region, err)
	}
	if len(out.Stacks) == 0 {
		return types.Stack{}, &NoStackError{Stack: name, Region: region, Message: "it doesn't exist"}
	}
	return out.Stacks[0], nil
}

// Outputs returns the outputs of a stack by their names.
func Outputs(s types.Stack) map[string]string {
	outputs := map[string]string{}
	for _, o := range s.Outputs {
		outputs[aws.ToString(o.OutputKey)] = aws.ToString(o.OutputValue)
	}
	return outputs
}

// find adds the consumers of a stack and of those nested in it.
func (r *reader) find(ctx context.Context, name string) error {
	found, err := Describe(ctx, r.cloudFormation, name)
	if err != nil {
		return err
	}
	before := len(r.Consumers)
	if err := r.walk(ctx, found); err != nil {
		return err
	}
	if len(r.Consumers) == before {
		return &NoConsumerError{Stack: name, Status: string(found.StackStatus)}
	}
	return nil
}

func (r *reader) walk(ctx context.Context, s types.Stack) error {
	name := aws.ToString(s.StackName)
	pages := cloudformation.NewListStackResourcesPaginator(r.cloudFormation, &cloudformation.ListStackResourcesInput{StackName: s.StackId})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("list the resources of stack %s: %w", name, err)
		}
		for _, resource := range page.StackResourceSummaries {
			id := aws.ToString(resource.PhysicalResourceId)
			if id == "" || resource.ResourceStatus == types.ResourceStatusDeleteComplete {
				continue // not made yet, or gone
			}
			switch aws.ToString(resource.ResourceType) {
			case "AWS::CloudFormation::Stack":
				nested, err := Describe(ctx, r.cloudFormation, id)
				if err != nil {
					return err
				}
				if err := r.walk(ctx, nested); err != nil {
					return err
				}
			case "AWS::Lambda::Function":
				// A stack may have other functions too, such as one that makes something while it is deployed.
				if aws.ToString(resource.LogicalResourceId) == "Function" {
					r.add(name, id, Outputs(s))
				}
			}
		}
	}
	return nil
}

// add adds the consumer of a stack.
func (r *reader) add(stack, function string, outputs map[string]string) {
	c := Consumer{Name: outputs["Consumer"], Stack: stack, Function: function, Mappings: []Mapping{}, queue: outputs["DeadLetterQueue"]}
	if tables := outputs["SourceTables"]; tables != "" {
		c.sources = strings.Split(tables, ",")
	}
	if c.counted = c.Name != ""; !c.counted {
		c.Name = stack
		r.note("stack %s has no output Consumer, the name by which the metrics that it logs can be found; deploy it again with this version's template", stack)
	}
	r.Consumers = append(r.Consumers, c)
}
