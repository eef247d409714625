package consumer

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumertest"
)

func TestMain(m *testing.M) { servertest.Main(m) }

// newQueue makes a queue and a bucket on the real servers.
func newQueue(t *testing.T) *Queue {
	t.Helper()
	cfg := servertest.Ministack(t)
	q := &Queue{SQS: sqs.NewFromConfig(cfg), S3: s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })}
	out, err := q.SQS.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("dead-letters")})
	if err != nil {
		t.Fatalf("create queue: %v", err)
	}
	q.URL = *out.QueueUrl
	q.Bucket = servertest.CreateBucket(t, q.S3)
	return q
}

// receive reads n dead letters from the queue, bodies included.
func receive(t *testing.T, q *Queue, n int) map[string]DeadLetter {
	t.Helper()
	letters := map[string]DeadLetter{}
	for body := range servertest.Receive(t, q.SQS, q.URL) {
		if len(body) > MaxMessageBytes {
			t.Errorf("a message has %d bytes, more than %d", len(body), MaxMessageBytes)
		}
		var letter DeadLetter
		if err := json.Unmarshal([]byte(body), &letter); err != nil {
			t.Fatal(err)
		}
		if letter.Body != nil {
			letter = readBody(t, q, letter.Body)
		}
		letters[letter.Position.SequenceNumber] = letter
		if len(letters) == n {
			break
		}
	}
	return letters
}

func readBody(t *testing.T, q *Queue, b *Body) DeadLetter {
	t.Helper()
	out, err := q.S3.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &b.Bucket, Key: &b.Key})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Body.Close()
	text, err := io.ReadAll(out.Body)
	if err != nil {
		t.Fatal(err)
	}
	var letter DeadLetter
	if err := json.Unmarshal(text, &letter); err != nil {
		t.Fatal(err)
	}
	return letter
}

func letter(n, size int) DeadLetter {
	return DeadLetter{
		Consumer: "test", Reason: Invalid, Error: "no score", Table: "T",
		Position:   Position{ShardID: "shardId-0", SequenceNumber: consumertest.SequenceNumber(n), Arrival: consumertest.Arrival},
		RejectedAt: consumertest.Arrival,
		Data:       strings.Repeat("QUJD", size/4),
	}
}

// Letters of every size, more than one batch of them, all come out as they went in.
func TestQueueKeepsLettersWhole(t *testing.T) {
	q := newQueue(t)
	var letters []DeadLetter
	for n := range 23 {
		letters = append(letters, letter(n, 1<<10))
	}
	letters = append(letters, letter(100, 200<<10), letter(101, 200<<10), letter(102, MaxMessageBytes), letter(103, 1<<20))
	for i, err := range q.Keep(t.Context(), letters) {
		if err != nil {
			t.Fatalf("letter %d: %v", i, err)
		}
	}
	want := map[string]DeadLetter{}
	for _, l := range letters {
		want[l.Position.SequenceNumber] = l
	}
	if diff := cmp.Diff(want, receive(t, q, len(letters))); diff != "" {
		t.Errorf("letters (-want +got):\n%s", diff)
	}
}

func TestQueueThatIsNotThere(t *testing.T) {
	q := newQueue(t)
	q.URL += "-no"
	for i, err := range q.Keep(t.Context(), []DeadLetter{letter(1, 10), letter(2, 1<<20)}) {
		if err == nil {
			t.Errorf("letter %d counts as kept, but there is no queue", i)
		}
	}
}

func TestQueueWithoutBucket(t *testing.T) {
	q := newQueue(t)
	q.Bucket = ""
	errs := q.Keep(t.Context(), []DeadLetter{letter(1, 1<<20), letter(2, 10)})
	if !errors.Is(errs[0], ErrNoBucket) {
		t.Errorf("letter too large for the queue: %v, want %v", errs[0], ErrNoBucket)
	}
	if errs[1] != nil {
		t.Errorf("small letter: %v, want it kept", errs[1])
	}
}
