package bridge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"golang.org/x/sync/errgroup"
)

// Precision says how the records of a table give their creation time.
type Precision string

// The precisions of a Kinesis streaming destination; older ones write milliseconds without saying so.
const (
	Microsecond         Precision = "MICROSECOND"
	Millisecond         Precision = "MILLISECOND"
	UnstatedMillisecond Precision = ""
)

// Table is one table whose changes are carried.
type Table struct {
	Name       string    // the table's; its stream must be enabled with NEW_AND_OLD_IMAGES
	StreamName string    // the Kinesis stream that its changes are written to
	Precision  Precision // that of the creation times
}

// Misbehaviour is what AWS's own may do, and on a good day does not. The zero value does nothing of it.
type Misbehaviour struct {
	// Repeat is the share of records that are written a second time, at once or up to fifty records or two seconds later.
	Repeat float64
	// Reorder is the share of records that up to fifty others overtake, within one second, those of the same item among them.
	Reorder float64
	// SwitchPrecision switches among the precisions every few dozen records, as an update of a live destination does.
	SwitchPrecision bool
}

// Config is what a Bridge needs. Seed and Log may be left out.
type Config struct {
	Streams   *dynamodbstreams.Client
	DynamoDB  *dynamodb.Client
	Kinesis   *kinesis.Client
	Tables    []Table
	Region    string // of the tables, as the records name it
	Misbehave Misbehaviour
	// Seed decides the event ids and, together with how the records come in, the misbehaviour.
	Seed uint64
	Log  *slog.Logger
}

// Bridge carries changes from DynamoDB Streams to Kinesis. Its methods may be called side by side, but only one Run at a time.
type Bridge struct {
	config   Config
	carriers []*carrier
}

// New checks the settings, all of them, and makes a Bridge. It calls no server.
func New(c Config) (*Bridge, error) {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if c.Streams == nil || c.DynamoDB == nil || c.Kinesis == nil {
		fault("Streams, DynamoDB and Kinesis must all be set")
	}
	if c.Region == "" {
		fault("Region must name the tables' region, for the records to name it")
	}
	if len(c.Tables) == 0 {
		fault("Tables must name at least one table")
	}
	for i, t := range c.Tables {
		if t.Name == "" || t.StreamName == "" {
			fault("Tables[%d] = %+v must name a table and a stream", i, t)
		}
		if slices.ContainsFunc(c.Tables[:i], func(o Table) bool { return o.Name == t.Name }) {
			fault("Tables[%d] = %+v: a table has one stream only", i, t)
		}
		if t.Precision != Microsecond && t.Precision != Millisecond && t.Precision != UnstatedMillisecond {
			fault("Tables[%d] = %+v: Precision must be MICROSECOND, MILLISECOND or empty", i, t)
		}
	}
	for name, share := range map[string]float64{"Repeat": c.Misbehave.Repeat, "Reorder": c.Misbehave.Reorder} {
		if !(share >= 0 && share <= 1) {
			fault("Misbehave.%s = %v must be a share from 0 to 1", name, share)
		}
	}
	if len(faults) > 0 {
		return nil, fmt.Errorf("bridge: settings: %w", errors.Join(faults...))
	}
	c.Log = cmp.Or(c.Log, slog.New(slog.DiscardHandler))
	b := &Bridge{config: c}
	clock := newClock()
	for _, t := range c.Tables {
		b.carriers = append(b.carriers, newCarrier(b, t, clock))
	}
	return b, nil
}

// Run carries changes until ctx ends, and then returns nil. It repeats and logs calls that fail, unless trying again can't help.
func (b *Bridge) Run(ctx context.Context) error {
	group, running := errgroup.WithContext(ctx)
	for _, c := range b.carriers {
		group.Go(func() error { return c.run(running) })
	}
	err := group.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("bridge: %w", err)
}
