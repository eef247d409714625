package index

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	smithytime "github.com/aws/smithy-go/time"
	"github.com/opensearch-project/opensearch-go/v2"
	"github.com/opensearch-project/opensearch-go/v2/opensearchapi"
	"github.com/opensearch-project/opensearch-go/v2/signer/awsv2"
)

// awaitRed is how long a bulk request waits for a red index. OpenSearch's default, a minute, is longer than the function
// has: a batch for several indexes would get no answer at all while one of them is red.
const awaitRed = 5 * time.Second

// Client makes requests, and repeats those that fail for a while. It is safe for concurrent use.
type Client struct {
	API        *opensearch.Client
	endpoint   string
	Retryer    func() aws.Retryer // says how often, and after which pause
	Await      time.Duration      // how long a bulk request waits for an index that is red
	reindexing sync.Map           // by name, the indexes that others were being made for
}

// NewClient returns a Client of a valid connection. It makes no call.
func NewClient(cfg aws.Config, s Connection) (*Client, error) {
	transport := httpTransport{cfg.HTTPClient}
	if transport.client == nil {
		transport.client = awshttp.NewBuildableClient()
	}
	config := opensearch.Config{
		Addresses: []string{s.Endpoint},
		Transport: transport,
		// Its own repeats sign a body that was read already.
		DisableRetry: true,
	}
	switch s.Auth {
	case IAM:
		signer, err := awsv2.NewSignerWithService(cfg, s.Service)
		if err != nil {
			return nil, fmt.Errorf("sign requests for %s: %w", s.Service, err)
		}
		config.Signer = signer
	case Basic:
		config.Username, config.Password = s.User, s.Password
		if s.SecretARN != "" {
			config.Transport = &secretTransport{secrets: secretsmanager.NewFromConfig(cfg), arn: s.SecretARN, next: transport}
		}
	}
	api, err := opensearch.NewClient(config)
	if err != nil {
		return nil, fmt.Errorf("make the client of %s: %w", s.Endpoint, err)
	}
	retryer := cfg.Retryer
	if retryer == nil {
		retryer = func() aws.Retryer { return retry.NewStandard() }
	}
	return &Client{API: api, endpoint: s.Endpoint, Retryer: retryer, Await: awaitRed}, nil
}

// httpTransport adapts the SDK's HTTP client to http.RoundTripper.
type httpTransport struct{ client aws.HTTPClient }

func (t httpTransport) RoundTrip(r *http.Request) (*http.Response, error) { return t.client.Do(r) }

// Do makes a request and returns the body of the answer. It repeats what fails for a while, after growing, random
// pauses, as often as the client's retryer says. So a request must change nothing the second time. Another status than
// 200 is a [*StatusError].
func (c *Client) Do(ctx context.Context, what string, request func() opensearchapi.Request) ([]byte, error) {
	retryer := c.Retryer()
	for attempt := 1; ; attempt++ {
		body, err := c.doOnce(ctx, what, request())
		if err == nil || !backOff(ctx, retryer, attempt, err) {
			return body, err
		}
	}
}

// backOff waits a growing, random time before an attempt is repeated. It reports whether to repeat it.
func backOff(ctx context.Context, retryer aws.Retryer, attempt int, err error) bool {
	if ctx.Err() != nil || attempt >= retryer.MaxAttempts() || !isTransient(err) {
		return false
	}
	delay, delayErr := retryer.RetryDelay(attempt, err)
	return delayErr == nil && smithytime.SleepWithContext(ctx, delay) == nil
}

// DoJSON is Do. It gives request a reader of body as JSON, and decodes the answer into out. Either may be nil.
func (c *Client) DoJSON(ctx context.Context, what string, body any, request func(body io.Reader) opensearchapi.Request, out any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("write the request to %s: %w", what, err)
	}
	answer, err := c.Do(ctx, what, func() opensearchapi.Request { return request(bytes.NewReader(text)) })
	if err != nil || out == nil {
		return err
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("read the answer to %s: %w", what, err)
	}
	return nil
}

// isTransient reports whether a failure of a request or a document may be over soon.
func isTransient(err error) bool {
	if errors.Is(err, ErrTooLong) {
		return false
	}
	status := 0 // no answer, or half of one
	if refused, ok := errors.AsType[*StatusError](err); ok {
		status = refused.Status
	} else if refused, ok := errors.AsType[*DocumentError](err); ok {
		status = refused.Status
	}
	switch status {
	case 0, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

func (c *Client) doOnce(ctx context.Context, what string, request opensearchapi.Request) ([]byte, error) {
	response, err := request.Do(ctx, c.API)
	if err != nil {
		return nil, fmt.Errorf("%s at %s: %w", what, c.endpoint, err)
	}
	defer response.Body.Close()
	body, err := readBody(ctx, response.Body)
	if err != nil {
		return nil, fmt.Errorf("%s at %s: read the answer: %w", what, c.endpoint, err)
	}
	if response.StatusCode != http.StatusOK {
		const most = 500
		return nil, &StatusError{Endpoint: c.endpoint, Request: what, Status: response.StatusCode, Body: string(bytes.TrimSpace(body[:min(most, len(body))]))}
	}
	return body, nil
}
