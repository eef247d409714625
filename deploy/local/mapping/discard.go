package mapping

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"sluice/deploy/local/attempt"
	"sluice/deploy/local/mapping/function"
)

// Why records are given up, as the on-failure document says it.
const (
	retriesExhausted = "RetryAttemptsExhausted"
	ageExceeded      = "RecordAgeExceeded"
)

type discarded struct {
	condition   string
	invocations int              // that the records took part in, approximately; 0 for records that were never delivered
	answer      *function.Answer // of the last invocation, if there was one
	records     []record
}

// document is what Lambda sends to an on-failure destination: the place of the records and, to S3, the event in Payload:
// https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
type document struct {
	RequestContext struct {
		RequestID              string `json:"requestId"`
		FunctionARN            string `json:"functionArn"`
		Condition              string `json:"condition"`
		ApproximateInvokeCount int    `json:"approximateInvokeCount"`
	} `json:"requestContext"`
	ResponseContext  *responseContext `json:"responseContext,omitempty"`
	Version          string           `json:"version"`
	Timestamp        string           `json:"timestamp"`
	KinesisBatchInfo struct {
		ShardID                         string `json:"shardId"`
		StartSequenceNumber             string `json:"startSequenceNumber"`
		EndSequenceNumber               string `json:"endSequenceNumber"`
		ApproximateArrivalOfFirstRecord string `json:"approximateArrivalOfFirstRecord"`
		ApproximateArrivalOfLastRecord  string `json:"approximateArrivalOfLastRecord"`
		BatchSize                       int    `json:"batchSize"`
		StreamARN                       string `json:"streamArn"`
	} `json:"KinesisBatchInfo"`
	Payload string `json:"payload,omitempty"`
}

// responseContext tells of the last invocation. Lambda leaves it out for records that it gives up for their age.
type responseContext struct {
	StatusCode      int     `json:"statusCode"`
	ExecutedVersion string  `json:"executedVersion"`
	FunctionError   *string `json:"functionError"` // null if the function answered and reported records as failed
}

// timeFormat is ISO 8601 with milliseconds, as Lambda writes it.
const timeFormat = "2006-01-02T15:04:05.000Z"

func (d discarded) document(functionARN, streamARN, shard string, now time.Time) document {
	var doc document
	doc.RequestContext.FunctionARN = functionARN
	doc.RequestContext.Condition = d.condition
	doc.RequestContext.ApproximateInvokeCount = max(1, d.invocations) // Lambda says 1 for records that it never delivered, too
	if d.answer == nil {
		doc.RequestContext.RequestID = function.NewRequestID()
	} else {
		doc.RequestContext.RequestID = d.answer.RequestID
	}
	if d.condition == retriesExhausted {
		doc.ResponseContext = &responseContext{StatusCode: 200, ExecutedVersion: "$LATEST"}
		if d.answer.Failure != nil {
			doc.ResponseContext.FunctionError = aws.String("Unhandled")
		}
	}
	doc.Version = "1.0"
	doc.Timestamp = now.UTC().Format(timeFormat)
	first, last := d.records[0], d.records[len(d.records)-1]
	info := &doc.KinesisBatchInfo
	info.ShardID, info.StreamARN, info.BatchSize = shard, streamARN, len(d.records)
	info.StartSequenceNumber, info.EndSequenceNumber = first.sequence, last.sequence
	info.ApproximateArrivalOfFirstRecord = first.arrival.UTC().Format(timeFormat)
	info.ApproximateArrivalOfLastRecord = last.arrival.UTC().Format(timeFormat)
	return doc
}

// discard sends the document, and only then counts the records as done. A destination that refuses it is an error, unlike on AWS.
func (l *lane) discard(ctx context.Context, d discarded) error {
	m := l.mapping
	doc := d.document(m.config.Function.ARN, m.settings.Stream, l.shard.id, m.now())
	log := m.log.With("shard", l.shard.id, "records", len(d.records), "condition", d.condition,
		"first", doc.KinesisBatchInfo.StartSequenceNumber, "last", doc.KinesisBatchInfo.EndSequenceNumber)
	if m.destination == nil {
		log.Error("records are given up, and lost to this function: the mapping has no on-failure destination")
	} else {
		if m.destination.whole {
			doc.Payload = string(payload(d.records))
		}
		body, err := json.Marshal(doc)
		if err != nil {
			return fmt.Errorf("on-failure document: %w", err)
		}
		err = attempt.Until(ctx, m.log, "send on-failure document to "+m.destination.arn, func(ctx context.Context) error {
			return m.destination.send(ctx, l.shard.id, m.now(), body)
		})
		if err != nil {
			return fmt.Errorf("send on-failure document to %s: %w", m.destination.arn, err)
		}
		m.count(func(s *Stats) { s.Documents++ })
		log.Error("records are given up", "destination", m.destination.arn)
	}
	m.count(func(s *Stats) { s.Discarded += int64(len(d.records)) })
	l.finish(d.records)
	return nil
}

type destination struct {
	arn   string
	whole bool // the document carries the records
	send  func(ctx context.Context, shard string, now time.Time, body []byte) error
}

// findDestination looks the destination up, so that one that does not exist is found before a record is lost.
func (m *Mapping) findDestination(ctx context.Context) (*destination, error) {
	target := m.settings.OnFailure
	if target == nil {
		return nil, nil
	}
	name := target.Destination[strings.LastIndexByte(target.Destination, ':')+1:]
	if target.Type == "S3" {
		if _, err := m.config.S3.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &name}); err != nil {
			return nil, fmt.Errorf("on-failure bucket %s: %w", target.Destination, err)
		}
		return &destination{arn: target.Destination, whole: true, send: func(ctx context.Context, shard string, now time.Time, body []byte) error {
			now = now.UTC()
			key := fmt.Sprintf("aws/lambda/%s/%s/%s/%s-%s", m.uuid, shard, now.Format("2006/01/02"), now.Format("2006-01-02T15.04.05"), rand.Text())
			_, err := m.config.S3.PutObject(ctx, &s3.PutObjectInput{Bucket: &name, Key: &key, Body: bytes.NewReader(body)})
			return err
		}}, nil
	}
	queue, err := m.config.SQS.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &name})
	if _, missing := errors.AsType[*sqstypes.QueueDoesNotExist](err); missing {
		return nil, fmt.Errorf("on-failure queue %s does not exist: %w", target.Destination, err)
	}
	if err != nil {
		return nil, fmt.Errorf("on-failure queue %s: %w", target.Destination, err)
	}
	return &destination{arn: target.Destination, send: func(ctx context.Context, _ string, _ time.Time, body []byte) error {
		_, err := m.config.SQS.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: queue.QueueUrl, MessageBody: aws.String(string(body))})
		return err
	}}, nil
}
