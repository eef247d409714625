package functiontest

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/wire"
)

// Kind is what becomes of a change that Troubled delivers.
type Kind string

// The kinds of changes.
const (
	Bad     Kind = "bad"     // is rejected
	New     Kind = "new"     // is applied to an item that nobody has seen before
	Usual   Kind = "usual"   // is applied
	Unlucky Kind = "unlucky" // has to be retried
)

const usualPerBatch = 7

// Troubled gives one process of the function of pkg a batch in each round: a reject, a new item, some usual changes, and last a
// change that has to be retried. It reports the peak resident memory after 100, 1,000 and 10,000 batches and at the end. It fails
// if a batch ends otherwise, or if not all rejects are in the queue.
func Troubled(b *testing.B, pkg string, record func(kind Kind, n int) []byte, queue *Queue, env ...string) {
	b.Helper()
	instance := Start(b, Build(b, pkg), append(queue.env(b), env...)...)
	batches, n := 0, 0
	for b.Loop() {
		first := n
		var records [][]byte
		add := func(kind Kind) {
			records = append(records, record(kind, n))
			n++
		}
		add(Bad)
		add(New)
		for range usualPerBatch {
			add(Usual)
		}
		add(Unlucky)
		answer, err := instance.Invoke(b.Context(), consumertest.PayloadAt(time.Now(), first, records...), nil)
		if err != nil {
			b.Fatal(err)
		}
		retried := fmt.Sprintf(`{"itemIdentifier":%q}`, consumertest.SequenceNumber(n-1))
		if answer.Failure != nil || !bytes.Contains(answer.Body, []byte(retried)) {
			b.Fatalf("batch %d: %s, %v; want the last change alone to be retried", batches, answer.Body, answer.Failure)
		}
		switch batches++; batches {
		case 100, 1_000, 10_000:
			b.ReportMetric(peakMB(b), fmt.Sprintf("MB-after-%d", batches))
		}
	}
	if kept := queue.length(b); kept != batches {
		b.Errorf("%d dead letters after %d batches, want one of each", kept, batches)
	}
	b.ReportMetric(peakMB(b), "MB-at-the-end")
}

// Queue is a dead-letter queue, in an account whose access key other servers take, too.
type Queue struct {
	aws.Config
	client *sqs.Client
	url    string
}

// NewQueue makes an empty queue.
func NewQueue(b *testing.B) *Queue {
	b.Helper()
	q := &Queue{Config: servertest.Ministack(b)}
	q.client = sqs.NewFromConfig(q.Config)
	out, err := q.client.CreateQueue(b.Context(), &sqs.CreateQueueInput{QueueName: aws.String("letters")})
	if err != nil {
		b.Fatal(err)
	}
	q.url = *out.QueueUrl
	return q
}

func (q *Queue) env(b *testing.B) []string {
	b.Helper()
	key, err := q.Credentials.Retrieve(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	return []string{"DEAD_LETTER_QUEUE_URL=" + q.url, "AWS_ENDPOINT_URL_SQS=" + *q.BaseEndpoint, "AWS_ACCESS_KEY_ID=" + key.AccessKeyID}
}

func (q *Queue) length(b *testing.B) (n int) {
	b.Helper()
	out, err := q.client.GetQueueAttributes(b.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: &q.url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameApproximateNumberOfMessages},
	})
	if err != nil {
		b.Fatal(err)
	}
	if n, err = strconv.Atoi(out.Attributes["ApproximateNumberOfMessages"]); err != nil {
		b.Fatal(err)
	}
	return n
}

// Denying proxies a DynamoDB endpoint, and denies each request that names the kind Unlucky, since the SDK doesn't repeat those.
func Denying(b *testing.B, endpoint string) string {
	b.Helper()
	deny := &wire.Transport{Decide: func(c wire.Call) wire.Fault {
		if bytes.Contains(c.Body, []byte(Unlucky)) {
			return wire.Denied
		}
		return wire.None
	}}
	target, err := url.Parse(endpoint)
	if err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }, Transport: deny,
		ErrorLog: log.New(io.Discard, "", 0), // the function reports what it gets no answer for
	})
	b.Cleanup(server.Close)
	return server.URL
}
