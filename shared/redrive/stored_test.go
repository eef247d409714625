package redrive

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/stored"
)

// storedLetters are the messages of a dead-letter queue with the bodies that some point to.
type storedLetters struct {
	Bucket   string
	Messages []string
	Objects  map[string]string // by key
}

// storedNames are of changes that were refused, each in a message of its own. The queue doesn't hold the last one whole.
var storedNames = []string{"bad 1", `bad "é" & <ü>`, "bad " + strings.Repeat("x", consumer.MaxMessageBytes*2/5)} // twice in a record, in base64

// Dead letters that earlier versions kept are listed and sent again. Fails if a dead letter or its body changes its form, or
// its key, without a reader for the old one.
func TestStoredForms(t *testing.T) {
	stored.Each(t, writeStored, func(t *testing.T, folder string) {
		w := newWorld(t)
		var letters storedLetters
		stored.Read(t, folder, "letters.json", &letters)
		for key, body := range letters.Objects {
			if _, err := w.S3.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &w.bucket, Key: &key, Body: strings.NewReader(body)}); err != nil {
				t.Fatal(err)
			}
		}
		for _, message := range letters.Messages {
			message = strings.ReplaceAll(message, letters.Bucket, w.bucket)
			if _, err := w.SQS.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &w.URL, MessageBody: &message}); err != nil {
				t.Fatal(err)
			}
		}
		groups := Groups{}
		if _, err := w.Letters(t.Context(), groups.Add); err != nil {
			t.Fatal(err)
		}
		listed := groups.Sorted()
		if len(listed) != 2 || listed[0].Letters+listed[1].Letters != 4 || !slices.ContainsFunc(listed, func(g Group) bool { return g.Error == "bad name" && g.Letters == 3 }) {
			t.Errorf("listed %+v", listed)
		}
		w.bad = false
		if got := w.run(); got.Counts.Applied != 3 || got.Counts.Rejected != 1 || got.Failed != 0 {
			t.Errorf("result %+v", got)
		}
		w.wantApplied(slices.Clone(storedNames)...)
		w.wantWaiting(1) // what is no change stays
	})
}

func writeStored(t *testing.T, folder string) {
	w := newWorld(t)
	w.deliver(storedNames...)
	if _, err := w.handler.Invoke(t.Context(), consumertest.Payload(10, []byte("no change"))); err != nil {
		t.Fatal(err)
	}
	letters := storedLetters{Objects: map[string]string{}}
	for body := range servertest.Receive(t, w.SQS, w.URL) {
		if letters.Messages = append(letters.Messages, body); len(letters.Messages) == 4 {
			break
		}
	}
	letters.Bucket = w.bucket
	out, err := w.S3.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &w.bucket})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range out.Contents {
		object, err := w.S3.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &w.bucket, Key: o.Key})
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(object.Body)
		if err != nil {
			t.Fatal(err)
		}
		letters.Objects[*o.Key] = string(body)
	}
	stored.Write(t, folder, "letters.json", letters)
}
