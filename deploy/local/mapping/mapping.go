package mapping

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"sluice/deploy/local/mapping/function"
	"sluice/deploy/local/template"
)

// Chaos kills the function, as machines do.
type Chaos struct {
	// Kill is the share of invocations during which the function is killed at a random moment, if it doesn't answer before that.
	Kill float64
	// Seed decides which invocations and which moments.
	Seed uint64
}

// Config is what a Mapping needs. SQS and S3 are needed if the settings name a destination of that kind;
// Memory, Chaos, the function's Output, Log and Backoff may be left out.
type Config struct {
	Function function.Config
	Settings template.KinesisMapping

	Kinesis *kinesis.Client
	SQS     *sqs.Client
	S3      *s3.Client

	// Memory bounds what is read ahead; one for all mappings of a process. By default a mapping has its own, of DefaultMemory.
	Memory *Memory
	Chaos  Chaos
	Log    *slog.Logger
	// Backoff is the wait after so many failures in a row, 1 at the least. By default it doubles from 100 ms up to 5 s.
	Backoff func(failures int) time.Duration
	// PollInterval is the wait after a read that reached the end of its shard: by default 1 s, as Lambda's.
	PollInterval time.Duration
}

// Stats counts what a Mapping has done.
type Stats struct {
	State         State   `json:"state"`
	Problem       string  `json:"problem,omitempty"` // why records have to come again, while Retrying; what doesn't answer, while Unknown
	Notice        string  `json:"notice,omitempty"`  // what has happened to the stream
	Rate          float64 `json:"rate"`              // records done a second, the mean of the last ten whole seconds
	Read          int64   `json:"read"`              // records read from the stream
	Done          int64   `json:"done"`              // records that need no more work: processed or discarded
	Discarded     int64   `json:"discarded"`         // records given up, by count of tries or by age
	Documents     int64   `json:"documents"`         // documents sent to the on-failure destination
	Invocations   int64   `json:"invocations"`       // invocations begun
	Delivered     int64   `json:"delivered"`         // records handed to the function, counted at every try
	Succeeded     int64   `json:"succeeded"`         // invocations that succeeded as a whole
	Partial       int64   `json:"partial"`           // invocations that reported some records as failed
	Failed        int64   `json:"failed"`            // invocations that failed as a whole, by being killed for example
	Retried       int64   `json:"retried"`           // invocations that repeated or split an earlier one
	Killed        int64   `json:"killed"`            // functions killed by Chaos during an invocation; a few of them had just answered
	InFlight      int64   `json:"inFlight"`          // invocations under way
	MillisBehind  int64   `json:"millisBehind"`      // the farthest that reading is behind the end of any shard; -1 while one has not been read yet
	MillisWaiting int64   `json:"millisWaiting"`     // the age, since its arrival in the stream, of the oldest record that was read and isn't done; 0 without one
	Shards        []Shard `json:"shards"`
}

// Shard is where one shard stands.
type Shard struct {
	ID         string `json:"id"`
	Checkpoint string `json:"checkpoint"` // the sequence number up to which every record is done; empty before the first
	Ended      bool   `json:"ended"`      // true once the shard was closed and all of its records are done
}

const (
	discoverInterval = time.Second
	maxFailedStarts  = 3
)

// Idle reports whether every record read so far is done and the end of every shard has been read.
func (s Stats) Idle() bool { return s.InFlight == 0 && s.Done == s.Read && s.MillisBehind == 0 }

// Mapping is one event source mapping. Its methods are safe for concurrent use, but only one Run at a time.
type Mapping struct {
	config      Config
	settings    template.KinesisMapping
	policy      policy
	uuid        string // Lambda's name for the mapping
	chaos       *chaos
	log         *slog.Logger
	now         func() time.Time
	destination *destination

	mu       sync.Mutex
	shards   []*shard // sorted by id, which is also by age
	notice   string
	counts   Stats          // the counts alone
	retrying map[*lane]bool // whose last invocation left records that have to come again
	problem  string         // of the latest that began to retry

	rate rate

	started      atomic.Bool // the function has answered once
	failedStarts atomic.Int64
}

// New checks the settings, all of them, and makes a Mapping. It calls no server and starts no function.
func New(c Config) (*Mapping, error) {
	c.Log = cmp.Or(c.Log, slog.New(slog.DiscardHandler))
	c.Memory = cmp.Or(c.Memory, NewMemory(DefaultMemory))
	c.PollInterval = cmp.Or(c.PollInterval, time.Second)
	if c.Function.Output == nil {
		c.Function.Output = io.Discard
	}
	if c.Backoff == nil {
		c.Backoff = backoff
	}
	log := c.Log.With("function", c.Function.Name)
	c.Function.Output = &sink{w: c.Function.Output, log: log}
	m := &Mapping{
		config: c, settings: c.Settings, now: time.Now, retrying: map[*lane]bool{},
		uuid:   function.NewRequestID(),
		policy: policy{bisect: c.Settings.BisectBatchOnFunctionError, maxRetries: c.Settings.MaximumRetryAttempts},
		chaos:  &chaos{share: c.Chaos.Kill, rng: rand.New(rand.NewPCG(c.Chaos.Seed, 0)), typical: 20 * time.Millisecond},
		log:    log,
	}
	if err := errors.Join(c.Function.Validate(), m.validate()); err != nil {
		return nil, fmt.Errorf("mapping %s: settings: %w", c.Function.Name, err)
	}
	return m, nil
}

func (m *Mapping) validate() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	s := m.settings
	if m.config.Kinesis == nil {
		fault("Kinesis must be set")
	}
	if !strings.HasPrefix(s.Stream, "arn:") {
		fault("Stream = %q must be the ARN of a stream", s.Stream)
	}
	if s.BatchSize < 1 || s.BatchSize > 10_000 {
		fault("BatchSize = %d must be from 1 to 10,000", s.BatchSize)
	}
	if s.BatchingWindow < 0 || s.BatchingWindow > 300*time.Second {
		fault("BatchingWindow = %v must be from 0 to 300 s", s.BatchingWindow)
	}
	if s.ParallelizationFactor < 1 || s.ParallelizationFactor > 10 {
		fault("ParallelizationFactor = %d must be from 1 to 10", s.ParallelizationFactor)
	}
	if s.MaximumRetryAttempts < template.Endless {
		fault("MaximumRetryAttempts = %d must be 0 or more, or -1 for endless", s.MaximumRetryAttempts)
	}
	switch s.StartingPosition {
	case template.TrimHorizon, template.Latest, template.AtTimestamp:
	default:
		fault("StartingPosition = %q must be TRIM_HORIZON, LATEST or AT_TIMESTAMP", s.StartingPosition)
	}
	if share := m.config.Chaos.Kill; !(share >= 0 && share <= 1) {
		fault("Chaos.Kill = %v must be a share from 0 to 1", share)
	}
	if to := s.OnFailure; to != nil {
		switch {
		case to.Type != "SQS" && to.Type != "S3":
			fault("OnFailure.Type = %q: only SQS and S3 are emulated", to.Type)
		case to.Type == "SQS" && m.config.SQS == nil, to.Type == "S3" && m.config.S3 == nil:
			fault("OnFailure is %s, so the client of %s must be set", to.Destination, to.Type)
		case !strings.HasPrefix(to.Destination, "arn:"):
			fault("OnFailure.Destination = %q must be an ARN", to.Destination)
		}
	}
	return errors.Join(faults...)
}

// backoff doubles from 100 ms up to 5 s. Lambda's own waits are not documented.
func backoff(failures int) time.Duration {
	return min(100*time.Millisecond<<min(failures-1, 10), 5*time.Second)
}

// Stats returns the counts so far.
func (m *Mapping) Stats() Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	stats := m.counts
	stats.Notice = m.notice
	if len(m.shards) == 0 {
		stats.MillisBehind = unread
	}
	silent := time.Duration(0)
	for _, s := range m.shards {
		ended, behind := s.ended.Load(), s.behind.Load()
		if !ended && stats.MillisBehind != unread && (behind == unread || behind > stats.MillisBehind) {
			stats.MillisBehind = behind
		}
		if !ended {
			silent = max(silent, s.silent(m.now()))
		}
		if arrival, waits := s.progress.oldest(); waits {
			stats.MillisWaiting = max(stats.MillisWaiting, m.now().Sub(arrival).Milliseconds())
		}
		stats.Shards = append(stats.Shards, Shard{ID: s.id, Checkpoint: s.progress.at(), Ended: ended})
	}
	switch {
	case !m.settings.Enabled:
		stats.State = Disabled
	case stats.MillisBehind != unread && len(m.retrying) > 0:
		stats.State, stats.Problem = Retrying, m.problem
	case silent > silentAfter+m.config.PollInterval:
		stats.State, stats.MillisBehind = Unknown, unread
		stats.Problem = fmt.Sprintf("its stream was last read %v ago: Kinesis doesn't answer", silent.Round(time.Second))
	case stats.MillisBehind == unread:
		stats.State = Starting
	default:
		stats.State = Enabled
	}
	stats.Rate = m.rate.perSecond(m.now())
	return stats
}

// count changes counts that belong together: Stats has all of a change or nothing.
func (m *Mapping) count(change func(*Stats)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change(&m.counts)
}

// countStart returns an error if the function has never started and has been given its chances.
func (m *Mapping) countStart(f *function.Failure) error {
	if !f.Init {
		m.started.Store(true)
		return nil
	}
	if n := m.failedStarts.Add(1); n >= maxFailedStarts && !m.started.Load() {
		return fmt.Errorf("function %s was started %d times and never got ready for an invocation: %w", m.config.Function.Name, n, f)
	}
	return nil
}

// sink writes what the processes of one function print, and tells of its own failure once.
type sink struct {
	log *slog.Logger

	mu     sync.Mutex
	w      io.Writer
	failed bool
}

func (s *sink) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := s.w.Write(line)
	if err != nil && !s.failed {
		s.failed = true
		s.log.Error("the function's output can't be written, and some of it is lost", "error", err)
	}
	return n, err
}
