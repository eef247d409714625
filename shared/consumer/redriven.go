package consumer

import (
	"context"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// RedriveContext is the client context with which dead letters are sent to a
// function again. Without it a function that remembers to have kept a record
// would take it for one that a mapping repeats, and answer that it is done:
// then the sender would throw away a change that was never applied. The answer
// says redriven: true; one that doesn't is of a function that knows of none of this.
const RedriveContext = `{"custom":{"` + redriveKey + `":"true"}}`

const redriveKey = "sluice-redrive"

// isRedriven says whether an invocation's records are dead letters that are sent again.
func isRedriven(ctx context.Context) bool {
	c, ok := lambdacontext.FromContext(ctx)
	return ok && c.ClientContext.Custom[redriveKey] == "true"
}
