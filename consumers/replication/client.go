package replication

import (
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// Tuned returns cfg for clients that write many items side by side: connections
// are kept for all of them, and a client that is throttled slows down by itself,
// and speeds up again as far as it isn't.
func Tuned(cfg aws.Config) aws.Config {
	cfg = cfg.Copy()
	if client, ok := cfg.HTTPClient.(*awshttp.BuildableClient); ok {
		cfg.HTTPClient = client.WithTransportOptions(func(t *http.Transport) { t.MaxIdleConnsPerHost = Concurrency })
	}
	cfg.Retryer = func() aws.Retryer { return retry.NewAdaptiveMode() }
	return cfg
}
