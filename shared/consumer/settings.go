package consumer

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"time"
)

// The defaults of Settings, for fields that are zero.
const (
	DefaultStuckAfter    = 5 * time.Minute
	DefaultGiveUpAge     = 167 * time.Hour
	DefaultAnswerReserve = 3 * time.Second
)

// Settings are what a deployed consumer's runtime reads from its environment,
// beside what the consumer itself reads.
type Settings struct {
	// DeadLetterQueueURL is the SQS queue for changes that can't be applied.
	DeadLetterQueueURL string `env:"DEAD_LETTER_QUEUE_URL"`
	// DeadLetterBucket is the S3 bucket for dead letters larger than MaxMessageBytes, and
	// for Notes.
	DeadLetterBucket string `env:"DEAD_LETTER_BUCKET"`
	// StuckAfter is how long a change may keep failing at a destination (At) that works
	// before it becomes a dead letter, so that it doesn't hold up its shard. The
	// destination works if others succeed there between any two of the change's
	// failures, or if a Prober's probe, or another instance's Notes, say so.
	StuckAfter time.Duration `env:"STUCK_AFTER"`
	// GiveUpAge is how long after its arrival in the stream a failing change
	// becomes a dead letter whatever else happens. It must be less than the
	// mapping's MaximumRecordAgeInSeconds: at that age Lambda discards the record.
	GiveUpAge time.Duration `env:"GIVE_UP_AGE"`
	// AnswerReserve is how long before the function's time-out the consumer
	// stops, to keep dead letters and to answer; at most a quarter of the time.
	AnswerReserve time.Duration `env:"ANSWER_RESERVE"`
	// LogLevel is the least severe level that is logged; INFO by default.
	LogLevel slog.Level `env:"LOG_LEVEL"`
}

// Validate reports every fault at once.
func (s Settings) Validate() error {
	var faults []error
	if s.DeadLetterQueueURL == "" {
		faults = append(faults, errors.New("DEAD_LETTER_QUEUE_URL must be set: without a queue, a change that can't be applied would block its shard"))
	}
	for _, d := range []struct {
		name  string
		value time.Duration
	}{{"STUCK_AFTER", s.StuckAfter}, {"GIVE_UP_AGE", s.GiveUpAge}, {"ANSWER_RESERVE", s.AnswerReserve}} {
		if d.value < 0 {
			faults = append(faults, fmt.Errorf("%s must not be negative, but like 5m (got %v)", d.name, d.value))
		}
	}
	return errors.Join(faults...)
}

// shortestHorizon is as long as a stream keeps a change at least.
const shortestHorizon = 24 * time.Hour

// CheckHorizon checks a consumer's own setting HORIZON: how long it remembers what it
// has done, so that older changes are rejected.
func CheckHorizon(horizon time.Duration) error {
	if horizon < shortestHorizon {
		return fmt.Errorf("HORIZON must be at least 24h, longer than the stream keeps a change (got %v)", horizon)
	}
	return nil
}

// withDefaults fills in the defaults.
func (s Settings) withDefaults() Settings {
	s.StuckAfter = cmp.Or(s.StuckAfter, DefaultStuckAfter)
	s.GiveUpAge = cmp.Or(s.GiveUpAge, DefaultGiveUpAge)
	s.AnswerReserve = cmp.Or(s.AnswerReserve, DefaultAnswerReserve)
	return s
}

// CheckTables returns an error for each field of a consumer's settings that has no value though its environment variable names a
// table: the variable's name ends with TABLE.
func CheckTables(settings any) error {
	var faults []error
	v := reflect.ValueOf(settings)
	for _, field := range reflect.VisibleFields(v.Type()) {
		name := field.Tag.Get("env")
		if strings.HasSuffix(name, "TABLE") && v.FieldByIndex(field.Index).String() == "" {
			faults = append(faults, fmt.Errorf("%s must name a table", name))
		}
	}
	return errors.Join(faults...)
}
