package notify

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go"

	"sluice/shared/consumer"
)

const allowPublish = "allow the function's role the action sns:Publish on this topic, and see that the topic's own policy doesn't deny it"

// remedies tell what to do about an error that only people can end, by its code.
var remedies = map[string]string{
	"AuthorizationError":    allowPublish,
	"AccessDenied":          allowPublish,
	"AccessDeniedException": allowPublish,
	"NotFound":              "there is no such topic: deploy the template that has it, or give the function the ARN of one that exists",
	"KMSAccessDenied":       "allow the function's role the actions kms:GenerateDataKey and kms:Decrypt on the key of this topic",
}

// judgeEntry makes the error of a notice that SNS refused alone. A code that blames
// the notice doesn't do so if the fault is SNS' own.
func (t *Topic) judgeEntry(failed types.BatchResultErrorEntry) error {
	err := &smithy.GenericAPIError{Code: aws.ToString(failed.Code), Message: aws.ToString(failed.Message)}
	return t.judge(err, failed.SenderFault && consumer.RefusedCode(aws.ToString(failed.Code)))
}

// judge makes the error of a notice whose call ended with err, which is for good or not.
func (t *Topic) judge(err error, forGood bool) error {
	remedy := remedies[consumer.ErrorCode(err)]
	err = fmt.Errorf("sns:Publish to %s: %w", t.ARN, err)
	if remedy != "" {
		err = fmt.Errorf("%w; %s", err, remedy)
	}
	if forGood {
		return consumer.Reject(err)
	}
	return err
}
