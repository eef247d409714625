// Package mapping stands in for Lambda's event source mapping on a Kinesis stream.
package mapping

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"sluice/deploy/local/template"
)

// Chaos kills the function, as machines do.
type Chaos struct {
	// Kill is the share of invocations during which the function is killed with SIGKILL at a random moment.
	// One that answers before its moment comes lives on.
	Kill float64
	// Seed decides which invocations and which moments.
	Seed uint64
}

// Config is what a Mapping needs. SQS and S3 are needed if the settings name a destination of that kind;
// Chaos, Output, Log and Backoff may be left out.
type Config struct {
	// Name is the function's.
	Name string
	// Binary is the path of the executable that Lambda would start as bootstrap.
	Binary string
	// Env holds the function's variables as "NAME=value". Credentials, AWS_ENDPOINT_URL and the like belong here
	// too: the function inherits nothing of our own environment.
	Env []string
	// Settings are the mapping's. Settings.Stream is the stream, unless StreamARN names another.
	Settings template.KinesisMapping
	// Timeout is the function's; an invocation that takes longer is killed and has failed.
	Timeout time.Duration
	// MemoryMB is what the function is told it has. It is not enforced.
	MemoryMB    int
	FunctionARN string
	StreamARN   string

	Kinesis *kinesis.Client
	SQS     *sqs.Client
	S3      *s3.Client

	Chaos Chaos
	// Output takes what the function writes to its standard output and error, whole lines at a time.
	Output io.Writer
	Log    *slog.Logger
	// Backoff is the wait before the next try after so many failed ones in a row, 1 at the least. By default it
	// doubles from 100 ms up to 5 s.
	Backoff func(failures int) time.Duration
	// PollInterval is the wait after a read that reached the end of its shard: by default 1 s, as Lambda's.
	PollInterval time.Duration
}

// Stats counts what a Mapping has done.
type Stats struct {
	Read         int64 // records read from the stream
	Filtered     int64 // records that matched no filter, and were dropped
	NotJSON      int64 // those among the filtered whose data is not JSON
	Done         int64 // records that need no more work: processed, filtered or discarded
	Discarded    int64 // records given up, by count of tries or by age
	Destination  int64 // documents sent to the on-failure destination
	Invocations  int64 // invocations begun
	Delivered    int64 // records handed to the function, counted at every try
	Succeeded    int64 // invocations that succeeded as a whole
	Partial      int64 // invocations that reported some records as failed
	Failed       int64 // invocations that failed as a whole; those killed are among them
	Retried      int64 // invocations that repeated or split an earlier one
	Killed       int64 // functions killed by Chaos during an invocation
	InFlight     int64 // invocations under way
	MillisBehind int64 // the farthest that any shard's reading is behind its end
	Shards       []Shard
}

// Shard is where one shard stands.
type Shard struct {
	ID string
	// Checkpoint is the sequence number up to which every record is done; empty before the first.
	Checkpoint string
	// Ended is true once the shard was closed and all of its records are done.
	Ended bool
}

// Idle reports whether every record read so far is done and the end of every shard has been read.
func (s Stats) Idle() bool { return s.InFlight == 0 && s.Done == s.Read && s.MillisBehind == 0 }

// Mapping is one event source mapping. Its methods are safe for concurrent use, but only one Run at a time.
type Mapping struct {
	config Config
}

// New checks the settings and makes a Mapping. It calls no server and starts no function.
func New(c Config) (*Mapping, error) { return &Mapping{config: c}, nil }

// Run reads the stream and invokes the function until ctx ends, and then stops the function and returns nil.
func (m *Mapping) Run(ctx context.Context) error { return nil }

// Stats returns the counts so far.
func (m *Mapping) Stats() Stats { return Stats{} }
