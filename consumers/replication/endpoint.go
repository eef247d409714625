package replication

import (
	"context"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	smithyendpoints "github.com/aws/smithy-go/endpoints"
)

// endpoints remembers what the SDK's rules make of what they are asked: a client
// asks for each call, and that took a fifth of its processor time. It is safe for
// concurrent use.
type endpoints struct {
	rules dynamodb.EndpointResolverV2
	known sync.Map // smithyendpoints.Endpoint by question
}

func newEndpoints() *endpoints { return &endpoints{rules: dynamodb.NewDefaultEndpointResolverV2()} }

// question is all that the rules go by. A client has as many as it knows tables.
type question struct {
	region, endpoint, account, accountMode, resource, resources string
	dualStack, fips, search                                     bool
}

func (e *endpoints) ResolveEndpoint(ctx context.Context, p dynamodb.EndpointParameters) (smithyendpoints.Endpoint, error) {
	q := question{
		region: aws.ToString(p.Region), endpoint: aws.ToString(p.Endpoint),
		account: aws.ToString(p.AccountId), accountMode: aws.ToString(p.AccountIdEndpointMode),
		resource: aws.ToString(p.ResourceArn), resources: strings.Join(p.ResourceArnList, "\n"),
		dualStack: aws.ToBool(p.UseDualStack), fips: aws.ToBool(p.UseFIPS), search: aws.ToBool(p.IsSearchOperation),
	}
	if known, ok := e.known.Load(q); ok {
		return known.(smithyendpoints.Endpoint), nil
	}
	found, err := e.rules.ResolveEndpoint(ctx, p)
	if err == nil {
		e.known.Store(q, found)
	}
	return found, err
}
