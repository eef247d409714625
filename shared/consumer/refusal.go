package consumer

import (
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
)

// Refused reports whether err means that an AWS service will never take the
// request, whoever sends it and whenever: its content is at fault. Every writer
// asks Refused, so that all consumers agree on what a dead letter is.
//
// Throttling, missing rights, missing tables, expired credentials, time-outs, keys
// of KMS and errors of the service itself are no refusals: they end, or somebody
// ends them, and the same request is taken then. The HTTP status can't tell the
// two apart, since most of these answers have the status 400 too. So Refused
// reads the code, and an unknown code is no refusal.
func Refused(err error) bool {
	// DynamoDB refuses a transaction for what it says of the single items.
	if canceled, ok := errors.AsType[*types.TransactionCanceledException](err); ok {
		return slices.ContainsFunc(canceled.CancellationReasons, func(r types.CancellationReason) bool {
			return r.Code != nil && RefusedCode(*r.Code)
		})
	}
	if code := ErrorCode(err); code != "" {
		return RefusedCode(code)
	}
	// The SDK didn't even send the request: no server could read it.
	if _, ok := errors.AsType[*smithy.SerializationError](err); ok {
		return true
	}
	_, ok := errors.AsType[*smithy.InvalidParamsError](err)
	return ok
}

// ErrorCode returns the code of an AWS service's answer; empty: there was none.
func ErrorCode(err error) string {
	if answer, ok := errors.AsType[smithy.APIError](err); ok {
		return answer.ErrorCode()
	}
	return ""
}

// RejectRefused returns Reject(err) if err is Refused, and err itself if it isn't.
// An error that is a Rejection already keeps its reason; nil stays nil.
func RejectRefused(err error) error {
	if OutcomeOf(err) == Retry && Refused(err) {
		return Reject(err)
	}
	return err
}

// RefusedCode is Refused for an error code that stands in an answer: of one entry
// of a batch, or of one item of a transaction. For an entry that says whose fault
// it is (SenderFault), the code counts only if the fault is the sender's.
func RefusedCode(code string) bool {
	// SQS writes AWS.SimpleQueueService.BatchRequestTooLong; some servers write the
	// names of the exceptions.
	code = strings.TrimPrefix(code, "AWS.SimpleQueueService.")
	code = strings.TrimSuffix(code, "Exception")
	return slices.Contains(refusals, code)
}

// refusals are the codes with which AWS's services refuse the content of a request,
// without "Exception" at the end:
//
//   - DynamoDB: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
//   - SNS: https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html
//   - SQS: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
//   - S3: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
var refusals = []string{
	// DynamoDB; the first also in the reasons of a transaction, as ValidationError.
	"Validation", "ValidationError", "ItemCollectionSizeLimitExceeded", "Serialization",
	"RequestEntityTooLarge", "RequestTooLarge",
	// SNS and SQS.
	"InvalidParameter", "InvalidParameterValue", "ParameterValueInvalid", "InvalidMessageContents", "MessageTooLong",
	"BatchRequestTooLong", "BatchEntryIdsNotDistinct", "EmptyBatchRequest", "InvalidBatchEntryId", "TooManyEntriesInBatchRequest",
	// S3.
	"EntityTooLarge", "KeyTooLongError", "MetadataTooLarge", "MaxMessageLengthExceeded", "InvalidURI",
}
