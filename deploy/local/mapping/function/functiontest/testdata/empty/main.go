// The smallest function there is: what a cold start is compared with.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() { lambda.Start(empty{}) }

type empty struct{}

func (empty) Invoke(context.Context, []byte) ([]byte, error) { return []byte("{}"), nil }
