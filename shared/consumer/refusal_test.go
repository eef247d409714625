package consumer

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// documented are the errors that AWS documents for the calls that consumers make
// (DynamoDB UpdateItem, PutItem, DeleteItem, TransactWriteItems, GetItem, Query;
// SNS PublishBatch; SQS SendMessageBatch and SendMessage; S3 PutObject and
// GetObject) and the errors common to all services; true: the service refuses the
// content of the request for good.
var documented = map[string]bool{
	// DynamoDB.
	"ConditionalCheckFailedException":          false, // an answer, which its caller reads
	"IdempotentParameterMismatchException":     false,
	"InternalServerError":                      false,
	"ItemCollectionSizeLimitExceededException": true,
	"LimitExceededException":                   false,
	"ProvisionedThroughputExceededException":   false,
	"ReplicatedWriteConflictException":         false,
	"RequestLimitExceeded":                     false,
	"ResourceInUseException":                   false,
	"ResourceNotFoundException":                false,
	"TableNotFoundException":                   false,
	"ThrottlingException":                      false,
	"TransactionConflictException":             false,
	"TransactionInProgressException":           false,
	"ValidationException":                      true,
	"SerializationException":                   true,
	// SNS.
	"AuthorizationError":                    false,
	"BatchEntryIdsNotDistinct":              true,
	"BatchRequestTooLong":                   true,
	"EmptyBatchRequest":                     true,
	"EndpointDisabled":                      false,
	"InternalError":                         false,
	"InvalidBatchEntryId":                   true,
	"InvalidParameter":                      true,
	"InvalidParameterValue":                 true,
	"ParameterValueInvalid":                 true,
	"InvalidSecurity":                       false,
	"KMSAccessDenied":                       false,
	"KMSDisabled":                           false,
	"KMSInvalidState":                       false,
	"KMSNotFound":                           false,
	"KMSOptInRequired":                      false,
	"KMSThrottling":                         false,
	"NotFound":                              false,
	"PlatformApplicationDisabled":           false,
	"TooManyEntriesInBatchRequest":          true,
	"InvalidParameterException":             true, // as the SDK's types have it
	"InvalidParameterValueException":        true,
	"BatchRequestTooLongException":          true,
	"KMSAccessDeniedException":              false,
	"NotFoundException":                     false,
	"TooManyEntriesInBatchRequestException": true,
	// SQS, in both of its protocols.
	"AWS.SimpleQueueService.BatchEntryIdsNotDistinct":     true,
	"AWS.SimpleQueueService.BatchRequestTooLong":          true,
	"AWS.SimpleQueueService.EmptyBatchRequest":            true,
	"AWS.SimpleQueueService.InvalidBatchEntryId":          true,
	"AWS.SimpleQueueService.TooManyEntriesInBatchRequest": true,
	"AWS.SimpleQueueService.NonExistentQueue":             false,
	"AWS.SimpleQueueService.UnsupportedOperation":         false,
	"InvalidAddress":         false,
	"InvalidMessageContents": true,
	"KmsAccessDenied":        false,
	"KmsDisabled":            false,
	"KmsInvalidKeyUsage":     false,
	"KmsInvalidState":        false,
	"KmsNotFound":            false,
	"KmsOptInRequired":       false,
	"KmsThrottled":           false,
	"OverLimit":              false,
	"QueueDoesNotExist":      false,
	"RequestThrottled":       false,
	"UnsupportedOperation":   false,
	// S3.
	"BadDigest":                false, // damaged on its way
	"EntityTooLarge":           true,
	"IncompleteBody":           false,
	"InvalidAccessKeyId":       false,
	"InvalidArgument":          false, // also said of keys of KMS
	"InvalidBucketName":        false,
	"InvalidRequest":           false,
	"InvalidURI":               true,
	"KMS.DisabledException":    false,
	"KeyTooLongError":          true,
	"MaxMessageLengthExceeded": true,
	"MetadataTooLarge":         true,
	"NoSuchBucket":             false,
	"NoSuchKey":                false,
	"OperationAborted":         false,
	"RequestTimeout":           false,
	"SignatureDoesNotMatch":    false,
	"SlowDown":                 false,
	// Of all services.
	"AccessDenied":                false,
	"AccessDeniedException":       false,
	"ExpiredToken":                false,
	"ExpiredTokenException":       false,
	"IncompleteSignature":         false,
	"InternalFailure":             false,
	"InvalidClientTokenId":        false,
	"InvalidSignatureException":   false,
	"MissingAuthenticationToken":  false,
	"NotAuthorized":               false,
	"OptInRequired":               false,
	"RequestExpired":              false,
	"RequestTimeTooSkewed":        false,
	"ServiceUnavailable":          false,
	"Throttling":                  false,
	"UnknownOperationException":   false,
	"UnrecognizedClientException": false,
	"ValidationError":             true,
	"SomethingNew":                false,
	"":                            false,
}

// Fails for a classification by the status, which is 400 for most of these, and for
// one that takes an outage, a missing right or a key of KMS for a refusal.
func TestRefused(t *testing.T) {
	for code, want := range documented {
		answer := &smithy.GenericAPIError{Code: code, Message: "said the service", Fault: smithy.FaultClient}
		// As the SDK returns it: within the response, the attempts and the operation.
		response := &awshttp.ResponseError{ResponseError: &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: &http.Response{StatusCode: http.StatusBadRequest}}, Err: answer,
		}}
		err := fmt.Errorf("write it: %w", &smithy.OperationError{ServiceID: "Any", OperationName: "Any", Err: response})
		if got := Refused(err); got != want {
			t.Errorf("%q counts as refused: %v, want %v", code, got, want)
		}
		outcome := Retry
		if want {
			outcome = Rejected
		}
		if got := OutcomeOf(RejectRefused(err)); got != outcome {
			t.Errorf("%q makes a change %v, want %v", code, got, outcome)
		}
	}
}

// Fails for a transaction that is judged by its first reason, or by its own code.
func TestRefusedTransaction(t *testing.T) {
	for _, test := range []struct {
		codes []string
		want  bool
	}{
		{nil, false},
		{[]string{"None", "ConditionalCheckFailed"}, false},
		{[]string{"None", "TransactionConflict"}, false},
		{[]string{"ThrottlingError", "ProvisionedThroughputExceeded"}, false},
		{[]string{"None", "AccessDenied"}, false},
		{[]string{"None", "ValidationError"}, true},
		{[]string{"ItemCollectionSizeLimitExceeded", "None"}, true},
		{[]string{"ConditionalCheckFailed", "ValidationError"}, true},
	} {
		canceled := &types.TransactionCanceledException{CancellationReasons: []types.CancellationReason{{}}}
		for _, code := range test.codes {
			canceled.CancellationReasons = append(canceled.CancellationReasons, types.CancellationReason{Code: aws.String(code)})
		}
		if got := Refused(fmt.Errorf("write it: %w", canceled)); got != test.want {
			t.Errorf("a transaction with %q counts as refused: %v, want %v", test.codes, got, test.want)
		}
	}
}

func TestRefusedBeforeItIsSent(t *testing.T) {
	for err, want := range map[error]bool{
		&smithy.SerializationError{Err: errors.New("a key without a value")}: true,
		&smithy.InvalidParamsError{}:                                         true,
		&smithy.DeserializationError{Err: errors.New("cut")}:                 false,
		&smithy.CanceledError{Err: context.DeadlineExceeded}:                 false,
		context.DeadlineExceeded:                                             false,
		errors.New("connection refused"):                                     false,
	} {
		if got := Refused(fmt.Errorf("write it: %w", err)); got != want {
			t.Errorf("%v counts as refused: %v, want %v", err, got, want)
		}
	}
}

func TestRejectRefusedKeepsWhatIsDecided(t *testing.T) {
	refused := &smithy.GenericAPIError{Code: "ValidationException"}
	for _, err := range []error{nil, Stale, Duplicate, RejectFor(TooOld, refused), At("table", RejectFor(TooOld, refused))} {
		if got := RejectRefused(err); fmt.Sprint(got) != fmt.Sprint(err) || OutcomeOf(got) != OutcomeOf(err) {
			t.Errorf("%v becomes %v", err, got)
		}
	}
}
