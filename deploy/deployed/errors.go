package deployed

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/smithy-go"
)

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
