package wire

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// refusal is an error of the AWS JSON protocols.
type refusal struct {
	status    int
	errorType string
	reasons   []reason // of a cancelled transaction, one for each of its items
}

// reason is why one item let a transaction be cancelled; None: it didn't.
type reason struct{ Code, Message string }

// Conflicts tells whether DynamoDB may refuse a call of this operation because
// of another writer's transaction.
func Conflicts(operation string) bool {
	switch operation {
	case "TransactWriteItems", "UpdateItem", "PutItem", "DeleteItem":
		return true
	}
	return false
}

// Refuse answers r in the server's place, with the error that DynamoDB gives for
// a Throttle, a ServerError, a Conflict or a Denied; for the first two also as SNS does it,
// if r speaks the AWS query protocol, or OpenSearch, if r speaks neither. c is the
// call that r carries.
func Refuse(r *http.Request, c Call, f Fault) (*http.Response, error) {
	if isQuery(r) {
		return refuseQuery(r, c, f)
	}
	if Operation(r) == "" {
		return refuseREST(r, c, f)
	}
	refused, err := refusalOf(c, f)
	if err != nil {
		return nil, err
	}
	document := map[string]any{
		"__type":  "com.amazonaws.dynamodb.v20120810#" + refused.errorType,
		"message": "injected by the test",
	}
	if refused.reasons != nil {
		document["CancellationReasons"] = refused.reasons
	}
	body, err := json.Marshal(document)
	if err != nil {
		return nil, fmt.Errorf("wire: write the refusal of call %d: %w", c.N, err)
	}
	header := http.Header{"Content-Type": {"application/x-amz-json-1.0"}, "X-Amzn-Requestid": {"injected"}}
	return Answer(r, refused.status, header, body), nil
}

func refuseREST(r *http.Request, c Call, f Fault) (*http.Response, error) {
	status, kind := http.StatusTooManyRequests, "rejected_execution_exception"
	switch f {
	case Throttle:
	case ServerError:
		status, kind = http.StatusServiceUnavailable, "no_shard_available_action_exception"
	default:
		return nil, fmt.Errorf("wire: call %d (%s %s): %v is no fault that it can be refused with", c.N, r.Method, r.URL.Path, f)
	}
	body := fmt.Appendf(nil, `{"error":{"type":%q,"reason":"injected by the test"},"status":%d}`, kind, status)
	return Answer(r, status, http.Header{"Content-Type": {"application/json"}}, body), nil
}

func refusalOf(c Call, f Fault) (refusal, error) {
	switch {
	case f == Throttle:
		return refusal{status: http.StatusBadRequest, errorType: "ProvisionedThroughputExceededException"}, nil
	case f == ServerError:
		return refusal{status: http.StatusInternalServerError, errorType: "InternalServerError"}, nil
	case f == Denied:
		return refusal{status: http.StatusBadRequest, errorType: "AccessDeniedException"}, nil
	case f == Conflict && c.Operation == "TransactWriteItems":
		reasons, err := conflictReasons(c)
		return refusal{http.StatusBadRequest, "TransactionCanceledException", reasons}, err
	case f == Conflict && Conflicts(c.Operation):
		return refusal{status: http.StatusBadRequest, errorType: "TransactionConflictException"}, nil
	}
	return refusal{}, fmt.Errorf("wire: call %d (%s): %v is no fault that it can be refused with", c.N, c.Operation, f)
}

// conflictReasons are those of a transaction of which the last item is in
// conflict, so that who looks at the first one alone is caught.
func conflictReasons(c Call) ([]reason, error) {
	var transaction struct{ TransactItems []json.RawMessage }
	if err := json.Unmarshal(c.Body, &transaction); err != nil {
		return nil, fmt.Errorf("wire: call %d: read the transaction: %w", c.N, err)
	}
	if len(transaction.TransactItems) == 0 {
		return nil, fmt.Errorf("wire: call %d is a transaction without items", c.N)
	}
	reasons := make([]reason, len(transaction.TransactItems))
	for i := range reasons {
		reasons[i].Code = "None"
	}
	reasons[len(reasons)-1] = reason{Code: "TransactionConflict", Message: "Transaction is ongoing for the item"}
	return reasons, nil
}
