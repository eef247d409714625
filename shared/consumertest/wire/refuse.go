package wire

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
)

// refusal is an error of a protocol.
type refusal struct {
	status int
	code   string
}

// What refuses a call: by DynamoDB's protocol, by the AWS query protocol as of SNS, and by OpenSearch's.
var (
	jsonRefusals = map[Fault]refusal{
		Throttle:    {http.StatusBadRequest, "ProvisionedThroughputExceededException"},
		ServerError: {http.StatusInternalServerError, "InternalServerError"},
		Denied:      {http.StatusBadRequest, "AccessDeniedException"},
		Conflict:    {http.StatusBadRequest, "TransactionConflictException"},
	}
	queryRefusals = map[Fault]refusal{
		Throttle:    {http.StatusBadRequest, "Throttling"},
		ServerError: {http.StatusInternalServerError, "InternalError"},
	}
	restRefusals = map[Fault]refusal{
		Throttle:    {http.StatusTooManyRequests, "rejected_execution_exception"},
		ServerError: {http.StatusServiceUnavailable, "no_shard_available_action_exception"},
	}
)

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
	refusals, rest := jsonRefusals, Operation(r) == ""
	switch {
	case isQuery(r):
		refusals = queryRefusals
	case rest:
		refusals = restRefusals
	}
	refused, ok := refusals[f]
	switch {
	case !ok || f == Conflict && !Conflicts(c.Operation):
		return nil, fmt.Errorf("wire: call %d (%s): %v is no fault that it can be refused with", c.N, cmp.Or(c.Operation, r.Method+" "+r.URL.Path), f)
	case isQuery(r):
		return AnswerQuery(r, refused.status, refused.code)
	case rest:
		body := fmt.Appendf(nil, `{"error":{"type":%q,"reason":"injected by the test"},"status":%d}`, refused.code, refused.status)
		return Answer(r, refused.status, http.Header{"Content-Type": {"application/json"}}, body), nil
	}
	document := map[string]any{"message": "injected by the test"}
	if f == Conflict && c.Operation == "TransactWriteItems" {
		var err error
		if document["CancellationReasons"], err = conflictReasons(c); err != nil {
			return nil, err
		}
		refused.code = "TransactionCanceledException"
	}
	document["__type"] = "com.amazonaws.dynamodb.v20120810#" + refused.code
	body, err := json.Marshal(document)
	if err != nil {
		return nil, fmt.Errorf("wire: write the refusal of call %d: %w", c.N, err)
	}
	header := http.Header{"Content-Type": {"application/x-amz-json-1.0"}, "X-Amzn-Requestid": {"injected"}}
	return Answer(r, refused.status, header, body), nil
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
