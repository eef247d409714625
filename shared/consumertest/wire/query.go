package wire

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
)

// isQuery tells whether r speaks the AWS query protocol, as clients of SNS do.
func isQuery(r *http.Request) bool {
	return r.Header.Get("Content-Type") == "application/x-www-form-urlencoded"
}

// queryOperation reads the operation from the body of the AWS query protocol.
func queryOperation(body []byte) (string, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return "", fmt.Errorf("wire: read the form: %w", err)
	}
	return form.Get("Action"), nil
}

func refuseQuery(r *http.Request, c Call, f Fault) (*http.Response, error) {
	switch f {
	case Throttle:
		return AnswerQuery(r, http.StatusBadRequest, "Throttling")
	case ServerError:
		return AnswerQuery(r, http.StatusInternalServerError, "InternalError")
	}
	return nil, fmt.Errorf("wire: call %d (%s): %v is no fault that it can be refused with", c.N, c.Operation, f)
}

// AnswerQuery makes the response to r that refuses it with an error of the AWS
// query protocol.
func AnswerQuery(r *http.Request, status int, code string) (*http.Response, error) {
	type fault struct{ Type, Code, Message string }
	kind := "Sender"
	if status >= http.StatusInternalServerError {
		kind = "Receiver"
	}
	body, err := xml.Marshal(struct {
		XMLName   xml.Name `xml:"ErrorResponse"`
		Error     fault
		RequestID string `xml:"RequestId"`
	}{Error: fault{kind, code, "injected by the test"}, RequestID: "injected"})
	if err != nil {
		return nil, fmt.Errorf("wire: write the refusal: %w", err)
	}
	return Answer(r, status, http.Header{"Content-Type": {"text/xml"}}, body), nil
}
