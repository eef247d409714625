package deployed

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/smithy-go"
)

// NoStackError is returned when there is no stack of a name in the account and region.
type NoStackError struct {
	Stack, Region string
	Message       string // CloudFormation's
}

func (e *NoStackError) Error() string {
	return fmt.Sprintf("look up stack %s in region %s: %s; \"aws cloudformation list-stacks --region %s\" shows those that are there, AWS_REGION and AWS_PROFILE look elsewhere",
		e.Stack, e.Region, e.Message, e.Region)
}

// NoConsumerError is returned when neither a stack nor one nested in it has a consumer.
type NoConsumerError struct {
	Stack  string
	Status string // of the stack, in CloudFormation's words
}

func (e *NoConsumerError) Error() string {
	return fmt.Sprintf("stack %s (%s) has no consumer, nor has one nested in it: no function that is called Function in its template; name a stack of a consumer's template, such as consumers/leaderboard/template.yaml, or the stack around them",
		e.Stack, e.Status)
}

// OtherConsumersError is returned when a stack and those nested in it have consumers, but not the one that is looked for.
type OtherConsumersError struct {
	Stack, Consumer string
	Others          []string // the consumers that are there
}

func (e *OtherConsumersError) Error() string {
	return fmt.Sprintf("stack %s has no consumer %s, nor has one nested in it, but %s; name the stack of %[2]s, or the one around all consumers",
		e.Stack, e.Consumer, strings.Join(e.Others, ", "))
}

// reason is why a call failed, without the names of the SDK's own steps where the service has said it.
func reason(err error) string {
	if failed, ok := errors.AsType[smithy.APIError](err); ok {
		return failed.ErrorCode() + ": " + failed.ErrorMessage()
	}
	return err.Error()
}
