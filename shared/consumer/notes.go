package consumer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

// Notes are what instances of one function write for each other about the
// destinations that work. *Bucket keeps them.
type Notes interface {
	// Note stores that each batch which had something for the destination got
	// something done there, from since to at.
	Note(ctx context.Context, destination string, since, at time.Time) error
	// Noted returns what an instance noted last; zero times if none has.
	Noted(ctx context.Context, destination string) (since, at time.Time, err error)
}

var _ Notes = (*Bucket)(nil)

// Why there is no evidence.
var (
	errNoBucket     = errors.New("DEAD_LETTER_BUCKET isn't set: name a bucket, in which instances note for each other which destinations work")
	errNothingNoted = errors.New("no instance has succeeded there since the change first failed. If the destination is down, repair it. " +
		"If it works, the change is at fault: set right what the destination says about it, or lower GIVE_UP_AGE to make it a dead letter earlier")
)

// readNotes reads what other instances noted of the destinations at which a change
// has been failing for long. A destination that can be asked needs no notes.
func (b *batch) readNotes(ctx context.Context) {
	h := b.handler
	if b.redriven {
		return
	}
	now := h.Now()
	for name, f := range b.doubtful(now) {
		d := h.memory.destination(name)
		if h.probeOf(name) != nil || now.Sub(d.asked) < askEvery(h.Settings) {
			continue
		}
		d.asked = now
		since, at, err := time.Time{}, time.Time{}, errNoBucket
		if h.Notes != nil {
			since, at, err = h.Notes.Noted(ctx, name)
		}
		if err == nil {
			d.noted = span{since, at}
		}
		if err == nil && !at.After(f.first) {
			err = errNothingNoted
		}
		if err != nil {
			h.Log.Warn("no evidence from other instances whether a destination works: a change that fails alone there waits for up to GIVE_UP_AGE",
				"destination", name, "giveUpAge", h.Settings.GiveUpAge.String(), "error", err.Error())
		}
	}
}

// writeNotes notes for the other instances where something got done and nobody can ask.
// A run of successes is worth a note once it is long enough to be evidence. An
// instance that has just started thus leaves the longer run of another one alone.
func (b *batch) writeNotes(ctx context.Context, now time.Time) {
	h := b.handler
	if h.Notes == nil || b.redriven {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(h.memory.destinations)) {
		d := h.memory.destinations[name]
		if name == "" && len(h.memory.destinations) > 1 {
			continue // the consumer names its destinations, and ends some changes without any
		}
		if !d.lastSucceeded.Equal(now) || now.Sub(d.run.since) < proofTime(h.Settings) || now.Sub(d.wrote) < noteEvery(h.Settings) || h.probeOf(name) != nil {
			continue
		}
		d.wrote = now
		if err := h.Notes.Note(ctx, name, d.run.since, d.run.at); err != nil {
			h.Log.Warn("other instances don't learn that a destination works: a change that fails alone there waits for up to GIVE_UP_AGE",
				"destination", name, "giveUpAge", h.Settings.GiveUpAge.String(), "error", err.Error())
		}
	}
}

// evidencePrefix is the start of the names of the objects in which notes stand.
const evidencePrefix = "evidence/"

// Bucket keeps a consumer's Notes as small objects in its dead-letter bucket.
type Bucket struct {
	S3       *s3.Client
	Name     string
	Consumer string
}

// note is such an object.
type note struct {
	Destination string    `json:"destination"`
	Since       time.Time `json:"since"`
	At          time.Time `json:"at"`
}

// key names the object of a destination, whose name may be any text.
func (b *Bucket) key(destination string) *string {
	sum := sha256.Sum256([]byte(destination))
	return aws.String(evidencePrefix + b.Consumer + "/" + hex.EncodeToString(sum[:16]) + ".json")
}

// Note implements Notes. The last one to write is the one that is read.
func (b *Bucket) Note(ctx context.Context, destination string, since, at time.Time) error {
	body, err := json.Marshal(note{destination, since.UTC(), at.UTC()})
	if err != nil {
		return fmt.Errorf("write a note: %w", err)
	}
	key := b.key(destination)
	_, err = b.S3.PutObject(ctx, &s3.PutObjectInput{Bucket: &b.Name, Key: key, Body: bytes.NewReader(body), ContentType: aws.String("application/json")})
	if err != nil {
		return fmt.Errorf("s3:PutObject of s3://%s/%s%s: %w", b.Name, *key, b.remedy(err), err)
	}
	return nil
}

// remedy returns what to do about an error that only people can end. S3 answers
// AccessDenied for an object that doesn't exist, too, if the role lacks s3:ListBucket:
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
func (b *Bucket) remedy(err error) string {
	answer, _ := errors.AsType[smithy.APIError](err)
	switch {
	case answer == nil:
		return ""
	case answer.ErrorCode() == "AccessDenied":
		return fmt.Sprintf(" (allow the function's role s3:GetObject and s3:PutObject on arn:aws:s3:::%s/%s*, and s3:ListBucket on the bucket)", b.Name, evidencePrefix)
	case answer.ErrorCode() == "NoSuchBucket":
		return " (there is no such bucket: deploy the template that has it, or set DEAD_LETTER_BUCKET to the name of one that exists)"
	}
	return ""
}

// maxNoteBytes is more than a note has.
const maxNoteBytes = 64 << 10

// Noted implements Notes.
func (b *Bucket) Noted(ctx context.Context, destination string) (since, at time.Time, err error) {
	key := b.key(destination)
	out, err := b.S3.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.Name, Key: key})
	if _, none := errors.AsType[*types.NoSuchKey](err); none {
		return since, at, nil
	}
	if err != nil {
		return since, at, fmt.Errorf("s3:GetObject of s3://%s/%s%s: %w", b.Name, *key, b.remedy(err), err)
	}
	defer out.Body.Close()
	text, err := io.ReadAll(io.LimitReader(out.Body, maxNoteBytes))
	if err != nil {
		return since, at, fmt.Errorf("read s3://%s/%s: %w", b.Name, *key, err)
	}
	var n note
	if err := json.Unmarshal(text, &n); err != nil {
		return since, at, fmt.Errorf("s3://%s/%s is no note about a destination: %w", b.Name, *key, err)
	}
	return n.Since, n.At, nil
}
