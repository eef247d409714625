package aggregate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	smithytime "github.com/aws/smithy-go/time"
	"github.com/shopspring/decimal"

	"sluice/shared/change"
	"sluice/shared/consumer"
)

// Capacity is how many change ids an item remembers itself. With an id of 12
// bytes the item stays below 1 KB, and so costs one write unit.
const Capacity = 64

// Table adds amounts to the items of one DynamoDB table. It is safe for
// concurrent use, also by several processes on the same tables.
type Table struct {
	Client *dynamodb.Client
	// Name is the table whose items hold the sums.
	Name string
	// Ledger is the table that remembers older change ids; keys Group (S) and
	// Entry (S), time to live in ExpiresAt.
	Ledger string
	// Horizon is how long a change is remembered after its creation.
	Horizon time.Duration
	Now     func() time.Time
}

// Target is one item that holds sums.
type Target struct {
	// Key is the item's key.
	Key map[string]types.AttributeValue
	// Group names the item within the ledger. No two items of any tables that
	// share a ledger may have the same. At most 2048 bytes.
	Group string
	// Set are attributes written together with the sums. They must depend on Key
	// alone, since the order of additions is not known.
	Set map[string]types.AttributeValue
	// Sums are the attributes that all amounts of the target add to; needed if it
	// is ever rebuilt.
	Sums []string
	// Closes is when the item takes no more changes; zero: never.
	Closes time.Time
	// Rebuilds are those of the item's view, as far as they are known; nil: none.
	Rebuilds *Rebuilds
}

// Amount is what one change does to a target, by attribute. An attribute must be
// of the same sort in all amounts of a target.
type Amount struct {
	ID change.ID
	// Add is added to sums and counts, which begin with 0.
	Add map[string]decimal.Decimal
	// Latest are values that stand until a newer change has some; nil leaves what
	// is there. All amounts of a target that have any have the same attributes.
	Latest map[string]types.AttributeValue
	// Smallest and Largest are kept where no smaller or larger value was seen.
	// They never go back, so they mean something only if nothing is ever taken
	// away. One that is no new record costs a refused write more.
	Smallest, Largest map[string]decimal.Decimal
}

// Add adds the amounts to the target, each exactly once however often Add is
// called with it, and returns what became of each: nil (applied),
// consumer.Duplicate, a consumer.Rejection (older than the horizon, or refused
// by DynamoDB: no sum may have more than 38 digits), or an error after which it
// may or may not be applied and has to be given to Add again. All that an amount
// does to the item happens at once.
//
// Errors and outcomes name the table or tables where they arose, see consumer.At.
//
// Met tells what the calls returned of the item.
//
// What a rebuild has taken from the source is a duplicate. After an ErrGeneration
// the target's Rebuilds are out of date.
func (t *Table) Add(ctx context.Context, target Target, amounts []Amount) (met Met, errs []error) {
	return t.Begin(target, amounts).Rest(ctx)
}

// Met is what the calls of one Add returned of the target's item.
type Met struct {
	// Item is the item as the last write left it, or met it if it was refused: with
	// all in it that is applied or a duplicate. It is nil if these are none, or if the
	// last of them were late, for which DynamoDB returns no item.
	Item map[string]types.AttributeValue
	// Added is what was added to the item's sums, if one write did all of it and left
	// Item, so that the sums just before are known too; else nil. Nothing was a duplicate
	// then but of an amount in the same call.
	Added map[string]decimal.Decimal
}

// At names a table as the destination where err became of a change.
func At(table string, err error) error { return consumer.At(tableNamed(table), err) }

func tableNamed(table string) string { return "table " + table }

// atBoth names both of the table and its ledger, for a transaction that writes both:
// whether one of them alone is down, its error may not say. What is written to one of
// them alone doesn't show that these transactions work.
func (t *Table) atBoth(err error) error {
	return consumer.At(t.both(), err)
}

func (t *Table) both() string { return fmt.Sprintf("table %s with ledger %s", t.Name, t.Ledger) }

// maxIdleSteps is after how many steps without progress a call gives up. A step
// makes none if another writer was faster, which cannot go on for ever.
const maxIdleSteps = 50

// untilDone makes steps until it is done, or one fails. After one that met another
// writer's transaction it waits a while.
func untilDone(ctx context.Context, step func(context.Context) error, pending func() int, done func() bool) error {
	for idle := 0; !done(); idle++ {
		before := pending()
		err := step(ctx)
		switch {
		case isConflict(err):
			err = pause(ctx, idle)
		case pending() < before:
			idle = 0
		case err == nil && idle == maxIdleSteps:
			err = ErrContended
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ErrContended is returned when an item kept changing, so that nothing could be added to it. An item that somebody
// else has written wrong isn't contended: its changes are rejected.
var ErrContended = errors.New("no progress: the item keeps changing under us")

// The pauses after another writer's transaction was in the way, which takes some 10 ms.
const (
	shortestPause = 20 * time.Millisecond
	longestPause  = time.Second
)

// pause spaces out attempts that met another writer's transaction.
func pause(ctx context.Context, attempt int) error {
	return smithytime.SleepWithContext(ctx, conflictPause(attempt, rand.Float64()))
}

// conflictPause returns the pause after so many attempts: twice as long after each, and
// between half of that and all of it, as random says (from 0 to 1). Without the random
// part, writers that met once would meet again.
func conflictPause(attempt int, random float64) time.Duration {
	most := longestPause
	if attempt < 16 { // else it would overflow
		most = min(longestPause, shortestPause<<attempt)
	}
	return most/2 + time.Duration(random*float64(most/2))
}

// isConflict tells whether err means that another writer's transaction was in
// the way. Nothing was written then.
func isConflict(err error) bool {
	if _, ok := errors.AsType[*types.TransactionConflictException](err); ok {
		return true
	}
	canceled, ok := errors.AsType[*types.TransactionCanceledException](err)
	if !ok {
		return false
	}
	conflict := false
	for _, reason := range canceled.CancellationReasons {
		switch code(reason) {
		case "None":
		case "TransactionConflict":
			conflict = true
		default:
			return false
		}
	}
	return conflict
}

func code(r types.CancellationReason) string {
	if r.Code == nil {
		return "None"
	}
	return *r.Code
}

// tooOld is the rejection of a change that the ledger may have forgotten.
func (t *Table) tooOld(id change.ID) error {
	created := time.UnixMicro(id.Time()).UTC()
	return consumer.RejectFor(consumer.TooOld, fmt.Errorf(
		"created %s, before the horizon of %v: whether it was applied is no longer known; compare source and destination, then correct the sum or discard the change",
		created.Format(time.RFC3339), t.Horizon))
}
