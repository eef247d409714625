package deployed

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"sluice/shared/redrive"
)

// Window is the stretch that counts are of: this long, up to the last minute that is over.
const Window = 5 * time.Minute

// Status is how the consumers of some stacks are doing.
type Status struct {
	Region string    `json:"region"`
	At     time.Time `json:"at"`
	// From and To are the Window of the counts.
	From      time.Time  `json:"from"`
	To        time.Time  `json:"to"`
	Consumers []Consumer `json:"consumers"` // sorted by name, then by stack
	Sources   []Source   `json:"sources"`   // the tables whose changes the consumers take
	// Notes say what is wrong, and why something isn't known; for people.
	Notes []string `json:"notes"`
}

// Consumer is how a consumer is doing. What isn't known is nil.
type Consumer struct {
	// Name is the consumer's as its metrics have it. Without the output Consumer it is the stack's.
	Name     string    `json:"name"`
	Stack    string    `json:"stack"`
	Function string    `json:"function"`
	State    string    `json:"state"`
	Mappings []Mapping `json:"mappings"`

	// The counts are of the Window. Done are changes that need no more work, as the consumer itself counts them: applied,
	// duplicate, stale, skipped or rejected. Rate is Done a second.
	Done        *int     `json:"done"`
	Rate        *float64 `json:"rate"`
	Invocations *int     `json:"invocations"`
	Failed      *int     `json:"failed"` // invocations that failed as a whole
	DeadLetters *int     `json:"deadLetters"`
	// MillisBehind is how old the last record of a batch was when it was read: the oldest in the latest minute that had any.
	MillisBehind *int `json:"millisBehind"`
	Lag          *Lag `json:"lag"`

	counted bool     // Name is the one that its metrics have
	queue   string   // URL
	sources []string // tables
}

// Lag is how long changes took from their making to their effect, in the latest minute in which one had an effect.
type Lag struct {
	Median  float64   `json:"medianMs"`
	Longest float64   `json:"longestMs"`
	At      time.Time `json:"at"` // when that minute began
}

// Mapping is an event source mapping of a function.
type Mapping struct {
	ID     string `json:"id"`
	State  string `json:"state"`            // Lambda's word
	Result string `json:"result,omitempty"` // of the last batch, in Lambda's words
	Reason string `json:"reason,omitempty"` // for the state, in Lambda's words
	Stream string `json:"stream"`           // ARN

	changed   time.Time // when it was made or changed last
	recordAge int32     // MaximumRecordAgeInSeconds; at most 0: no limit
}

// States of a consumer beside those that Lambda has for a mapping: Enabled, Disabled, Creating and so on.
const (
	Retrying  = "Retrying" // enabled, and the last batch failed
	NoMapping = "none"
	Unknown   = "-"
)

func (m Mapping) state() string {
	if m.State == "Enabled" && m.failing() {
		return Retrying
	}
	return m.State
}

// failing tells whether the last batch failed. Results seen are "OK", "No records processed" and "PROBLEM: …"; no list is documented.
func (m Mapping) failing() bool {
	return m.Result != "" && !strings.HasPrefix(m.Result, "OK") && !strings.HasPrefix(m.Result, "No records")
}

type reader struct {
	Status

	cloudFormation *cloudformation.Client
	lambda         *lambda.Client
	sqs            *sqs.Client
	cloudWatch     *cloudwatch.Client
	kinesis        *kinesis.Client
	dynamoDB       *dynamodb.Client
}

// Read tells how the consumers of the named stacks, and of those nested in them, are doing at the time now. Each must have one.
func Read(ctx context.Context, cfg aws.Config, stacks []string, now time.Time) (Status, error) {
	end := now.Truncate(time.Minute)
	r := &reader{
		Status:         Status{Region: cfg.Region, At: now, From: end.Add(-Window), To: end, Sources: []Source{}, Notes: []string{}},
		cloudFormation: cloudformation.NewFromConfig(cfg),
		lambda:         lambda.NewFromConfig(cfg),
		sqs:            sqs.NewFromConfig(cfg),
		cloudWatch:     cloudwatch.NewFromConfig(cfg),
		kinesis:        kinesis.NewFromConfig(cfg),
		dynamoDB:       dynamodb.NewFromConfig(cfg),
	}
	for _, name := range stacks {
		if err := r.find(ctx, name); err != nil {
			return Status{}, err
		}
	}
	slices.SortFunc(r.Consumers, func(a, b Consumer) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Stack, b.Stack))
	})
	r.Consumers = slices.CompactFunc(r.Consumers, func(a, b Consumer) bool { return a.Function == b.Function }) // a stack named with its root
	for i := range r.Consumers {
		r.readMappings(ctx, &r.Consumers[i])
		r.readQueue(ctx, &r.Consumers[i])
	}
	r.readSources(ctx)
	if err := r.readMetrics(ctx); err != nil {
		r.note("CloudWatch tells nothing, so there are no counts: %s", reason(err))
	}
	return r.Status, ctx.Err()
}

// note adds a note, once.
func (r *reader) note(format string, args ...any) {
	if note := fmt.Sprintf(format, args...); !slices.Contains(r.Notes, note) {
		r.Notes = append(r.Notes, note)
	}
}

func (r *reader) readMappings(ctx context.Context, c *Consumer) {
	c.State = Unknown
	pages := lambda.NewListEventSourceMappingsPaginator(r.lambda, &lambda.ListEventSourceMappingsInput{FunctionName: &c.Function})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			r.note("%s: the state of its mapping can't be read: %s", c.Name, reason(err))
			return
		}
		for _, m := range page.EventSourceMappings {
			c.Mappings = append(c.Mappings, Mapping{
				ID: aws.ToString(m.UUID), State: aws.ToString(m.State), Result: aws.ToString(m.LastProcessingResult),
				Reason: aws.ToString(m.StateTransitionReason), Stream: aws.ToString(m.EventSourceArn),
				changed: aws.ToTime(m.LastModified), recordAge: aws.ToInt32(m.MaximumRecordAgeInSeconds),
			})
		}
	}
	if len(c.Mappings) == 0 {
		c.State = NoMapping
		r.note("function %s of stack %s has no event source mapping, so nothing is delivered to it; deploy the stack again", c.Function, c.Stack)
		return
	}
	var states []string
	for _, m := range c.Mappings {
		if s := m.state(); !slices.Contains(states, s) {
			states = append(states, s)
		}
		switch m.state() {
		case Retrying:
			r.note("%s: the last batch failed and comes again: %s", c.Name, m.Result)
		case "Disabled":
			r.note("%s: its mapping is disabled (%s), and goes on where it stopped once it is enabled: aws lambda update-event-source-mapping --uuid %s --enabled --region %s", c.Name, m.Reason, m.ID, r.Region)
		}
	}
	c.State = strings.Join(states, ",")
}

func (r *reader) readQueue(ctx context.Context, c *Consumer) {
	if c.queue == "" {
		r.note("stack %s has no output DeadLetterQueue, the URL of the queue with its dead letters", c.Stack)
		return
	}
	visible, hidden, err := redrive.Waiting(ctx, r.sqs, c.queue)
	if err != nil {
		r.note("%s: its dead letters can't be counted: %s", c.Name, reason(err))
		return
	}
	c.DeadLetters = aws.Int(visible + hidden)
}
