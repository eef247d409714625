package cli

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"net/http"
	"slices"
	"sluice/shared/operate"
	"sync"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"
	"golang.org/x/sync/errgroup"
)

const (
	loadLanes   = 16
	loadStep    = 100              // rows between two lines of progress
	loadTimeout = 30 * time.Second // one row, with the SDK's own retries
)

// loading puts rows into a table. Rows of one key go through one lane, in the order of the file, so the last of them stands.
type loading struct {
	client *dynamodb.Client
	table  string
	lanes  []chan logRow

	mu     sync.Mutex
	loaded int
	faults rowFaults
}

// load puts each row of a log as an item. A row that can't be an item, or that DynamoDB refuses, is named with its line; the
// others are loaded all the same. Any other failure ends the load.
func load(ctx context.Context, client *dynamodb.Client, table string, from io.Reader, out io.Writer) error {
	l := &loading{client: client, table: table, lanes: make([]chan logRow, loadLanes)}
	began := time.Now()
	group, putting := errgroup.WithContext(ctx)
	for i := range l.lanes {
		l.lanes[i] = make(chan logRow, 1)
		group.Go(func() error { return l.putAll(putting, l.lanes[i]) })
	}
	repeats, err := l.read(putting, from, out)
	for _, lane := range l.lanes {
		close(lane)
	}
	if putErr := group.Wait(); putErr != nil {
		err = putErr // reading has only stopped because of it
	}
	atLeast := ""
	if err != nil {
		atLeast = "at least " // a write without an answer may have been done
	}
	fmt.Fprintf(out, "%s%s in %.2f s\n", atLeast, operate.Count(l.loaded, "row"), time.Since(began).Seconds())
	if repeats > 0 {
		fmt.Fprintf(out, "%s the requestid of an earlier row and replaced it.\n", operate.Count(repeats, "row has", "rows have"))
	}
	switch {
	case ctx.Err() != nil:
		return errors.New("interrupted; the rows that are loaded stay. The same command again loads all, and repeats do no harm")
	case err != nil:
		return errors.Join(fmt.Errorf("%w\nit stopped there; some rows behind it may be loaded. The same command again loads all, and repeats do no harm", err), l.faults.err())
	}
	return l.faults.err()
}

// read hands each row to its lane. It returns how many rows have the id of an earlier one.
func (l *loading) read(ctx context.Context, from io.Reader, out io.Writer) (repeats int, err error) {
	seed, met := maphash.MakeSeed(), map[string]bool{}
	step, handed := time.Now(), 0
	return repeats, readLog(from, func(row logRow) error {
		key := row.key()
		if met[key] {
			repeats++
		}
		met[key] = true
		select {
		case l.lanes[maphash.String(seed, key)%loadLanes] <- row:
		case <-ctx.Done():
			return ctx.Err()
		}
		if handed++; handed%loadStep == 0 {
			fmt.Fprintf(out, "row %d, the last %d in %.2f s\n", handed, loadStep, time.Since(step).Seconds())
			step = time.Now()
		}
		return nil
	}, l.fault)
}

// putAll puts the rows of a lane, one after the other.
func (l *loading) putAll(ctx context.Context, rows <-chan logRow) error {
	for row := range rows {
		err := l.put(ctx, row)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case isRefused(err):
			l.fault(rowFault{row.line, 1, fmt.Errorf("%s refuses it: %w", l.table, err)})
		case errors.Is(err, context.DeadlineExceeded):
			return fmt.Errorf("line %d: DynamoDB gave no answer within %v", row.line, loadTimeout)
		case err != nil:
			return fmt.Errorf("line %d: put into %s: %w", row.line, l.table, err)
		default:
			l.mu.Lock()
			l.loaded++
			l.mu.Unlock()
		}
	}
	return nil
}

func (l *loading) put(ctx context.Context, row logRow) error {
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	_, err := l.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &l.table, Item: row.item})
	return err
}

func (l *loading) fault(f rowFault) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults.add(f)
}

// isRefused reports whether DynamoDB will never take an item: it is too large, or a value is none. That says nothing of the next item.
func isRefused(err error) bool {
	if answer, ok := errors.AsType[*awshttp.ResponseError](err); ok && answer.HTTPStatusCode() == http.StatusRequestEntityTooLarge {
		return true
	}
	refusal, ok := errors.AsType[smithy.APIError](err)
	return ok && slices.Contains([]string{"ValidationException", "ItemCollectionSizeLimitExceededException", "SerializationException"}, refusal.ErrorCode())
}
