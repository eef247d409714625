package wire

import (
	"encoding/xml"
	"fmt"
	"net/http"
)

// isQuery tells whether r speaks the AWS query protocol, as clients of SNS do.
func isQuery(r *http.Request) bool {
	return r.Header.Get("Content-Type") == "application/x-www-form-urlencoded"
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
