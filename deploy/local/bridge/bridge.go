package bridge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
)

// Precision says how the records of a table give their creation time.
type Precision string

// The precisions of a Kinesis streaming destination. Older destinations write milliseconds and
// no word on the precision.
const (
	Microsecond         Precision = "MICROSECOND"
	Millisecond         Precision = "MILLISECOND"
	UnstatedMillisecond Precision = ""
)

// Table is one table whose changes are carried.
type Table struct {
	// Name is the table's; its stream must be enabled with NEW_AND_OLD_IMAGES.
	Name string
	// StreamName is the Kinesis stream that its changes are written to.
	StreamName string
	// Precision is that of the creation times.
	Precision Precision
}

// Misbehaviour is what AWS's own may do, and on a good day does not. The zero value does nothing of it.
type Misbehaviour struct {
	// Repeat is the share of records that are written a second time: at once, or up to fifty records
	// or two seconds later.
	Repeat float64
	// Reorder is the share of records that are held back, and so overtaken, by up to fifty records or
	// one second, those of the same item among them.
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

// Stats counts what a Bridge has done.
type Stats struct {
	Read      int64 // changes read from DynamoDB Streams
	Written   int64 // records that Kinesis has taken, repeats included
	Repeated  int64 // records written a second time on purpose
	Reordered int64 // records held back on purpose
	Oversize  int64 // changes skipped because their record is over 1 MiB
	Pending   int64 // records read or held back but not yet written: 0 when nothing is under way
}

// Bridge carries changes from DynamoDB Streams to Kinesis. Its methods are safe for concurrent use, but only one
// Run at a time.
type Bridge struct {
	config Config
}

// New checks the settings, all of them, and makes a Bridge. It calls no server.
func New(c Config) (*Bridge, error) {
	var faults []error
	if c.Streams == nil || c.DynamoDB == nil || c.Kinesis == nil {
		faults = append(faults, errors.New("Streams, DynamoDB and Kinesis are all needed"))
	}
	if len(faults) > 0 {
		return nil, fmt.Errorf("bridge: %w", errors.Join(faults...))
	}
	return &Bridge{config: c}, nil
}

// Run carries changes until ctx ends, and then returns nil. While a server does not answer it tries again, and says so
// in the log; it returns an error if trying again can't help.
func (b *Bridge) Run(ctx context.Context) error { return nil }

// Stats returns the counts so far.
func (b *Bridge) Stats() Stats { return Stats{} }
