package replication

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// Fails if an answer is given to another question than it was found for.
func TestEndpoints(t *testing.T) {
	remembering, rules := newEndpoints(), dynamodb.NewDefaultEndpointResolverV2()
	base := func() dynamodb.EndpointParameters {
		return dynamodb.EndpointParameters{Region: new("us-east-1"), UseDualStack: aws.Bool(false), UseFIPS: aws.Bool(false)}
	}
	for name, change := range map[string]func(*dynamodb.EndpointParameters){
		"nothing":    func(*dynamodb.EndpointParameters) {},
		"region":     func(p *dynamodb.EndpointParameters) { p.Region = new("eu-west-1") },
		"dual stack": func(p *dynamodb.EndpointParameters) { p.UseDualStack = aws.Bool(true) },
		"FIPS":       func(p *dynamodb.EndpointParameters) { p.UseFIPS = aws.Bool(true) },
		"endpoint":   func(p *dynamodb.EndpointParameters) { p.Endpoint = new("http://127.0.0.1:8000") },
		"account": func(p *dynamodb.EndpointParameters) {
			p.AccountId, p.AccountIdEndpointMode = new("123456789012"), new("preferred")
		},
		"resource": func(p *dynamodb.EndpointParameters) {
			p.AccountIdEndpointMode, p.ResourceArn = new("preferred"), new("arn:aws:dynamodb:us-east-1:123456789012:table/T")
		},
		"resources": func(p *dynamodb.EndpointParameters) {
			p.AccountIdEndpointMode, p.ResourceArnList = new("preferred"), []string{"arn:aws:dynamodb:us-east-1:210987654321:table/T"}
		},
	} {
		p := base()
		change(&p)
		want, err := rules.ResolveEndpoint(t.Context(), p)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for range 2 {
			if got, err := remembering.ResolveEndpoint(t.Context(), p); err != nil || got.URI != want.URI {
				t.Errorf("%s: got %v, %v; want %v", name, got.URI, err, want.URI)
			}
		}
	}
}
