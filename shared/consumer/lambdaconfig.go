package consumer

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/caarlos0/env/v11"

	"sluice/shared/sdkhttp"
)

// attemptTimeout bounds one HTTP request to AWS. Without it a lost answer
// would hold the batch until the function's time-out.
const attemptTimeout = 5 * time.Second

// idleConnections is how many connections to a service stay open for the next
// batch: more than any consumer's calls at once. With the SDK's 10, a function
// that makes more would open the others anew in every batch, TLS and all.
const idleConnections = 2 * EachConcurrency

// lambdaEnvironment is what Lambda tells a function about AWS:
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
type lambdaEnvironment struct {
	Region    string `env:"AWS_REGION,required"`
	KeyID     string `env:"AWS_ACCESS_KEY_ID,required"`
	SecretKey string `env:"AWS_SECRET_ACCESS_KEY,required"`
	Token     string `env:"AWS_SESSION_TOKEN"`
	// Endpoint replaces AWS, for a function that runs elsewhere.
	Endpoint string `env:"AWS_ENDPOINT_URL"`
}

// lambdaConfig returns the AWS settings that Lambda puts into a function's
// environment. The SDK's config.LoadDefaultConfig would find the same, but it
// also looks where a function has nothing (files, SSO, instance metadata), which
// costs 2 MB of binary and a fifth of the cold start.
func lambdaConfig() (aws.Config, error) {
	e, err := env.ParseAs[lambdaEnvironment]()
	if err != nil {
		return aws.Config{}, fmt.Errorf("read the AWS settings of the environment: %w", err)
	}
	cfg := aws.Config{
		Region:      e.Region,
		Credentials: credentials.NewStaticCredentialsProvider(e.KeyID, e.SecretKey, e.Token),
		HTTPClient: sdkhttp.Over(awshttp.NewBuildableClient().WithTimeout(attemptTimeout).WithTransportOptions(func(t *http.Transport) {
			t.MaxIdleConnsPerHost = idleConnections
		})),
		ConfigSources: []any{serviceEndpoints{}},
	}
	if e.Endpoint != "" {
		cfg.BaseEndpoint = &e.Endpoint
	}
	return cfg, nil
}

// serviceEndpoints lets AWS_ENDPOINT_URL_<SERVICE> replace a single service. The
// SDK's clients look for this method in a configuration's sources.
type serviceEndpoints struct{}

// GetServiceBaseEndpoint returns the endpoint of the service with an SDK id such
// as "DynamoDB Streams", if one is set.
func (serviceEndpoints) GetServiceBaseEndpoint(_ context.Context, sdkID string) (string, bool, error) {
	name := "AWS_ENDPOINT_URL_" + strings.ReplaceAll(strings.ToUpper(sdkID), " ", "_")
	endpoint := os.Getenv(name)
	return endpoint, endpoint != "", nil
}
