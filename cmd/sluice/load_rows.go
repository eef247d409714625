package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/shopspring/decimal"
	"golang.org/x/sync/errgroup"
)

// logColumns are the columns of a log's row; those in logNumbers are numbers.
var (
	logColumns = []string{"requestid", "host", "date", "hourofday", "timezone", "method", "url", "responsecode", "bytessent", "useragent"}
	logNumbers = []string{"requestid", "hourofday", "responsecode", "bytessent"}
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

// logRow is one row as an item.
type logRow struct {
	line int
	item map[string]types.AttributeValue
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
	fmt.Fprintf(out, "%s in %.2f s\n", count(l.loaded, "row", "rows"), time.Since(began).Seconds())
	if repeats > 0 {
		fmt.Fprintf(out, "%s the requestid of an earlier row and replaced it.\n", count(repeats, "row has", "rows have"))
	}
	switch {
	case ctx.Err() != nil:
		return errors.New("interrupted; the rows that are loaded stay. The same command again loads all, and repeats do no harm")
	case err != nil:
		return errors.Join(fmt.Errorf("%w\nit stopped there; some rows behind it may be loaded. The same command again loads all, and repeats do no harm", err), l.faults.err())
	}
	return l.faults.err()
}

// read reads the rows and hands each to its lane. It returns how many rows have the id of an earlier one.
func (l *loading) read(ctx context.Context, from io.Reader, out io.Writer) (repeats int, err error) {
	text := bufio.NewReader(from)
	beginning, err := text.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, fmt.Errorf("read the rows: %w", err)
	}
	if err := checkEncoding(beginning); err != nil {
		return 0, err
	}
	if strings.HasPrefix(string(beginning), string(utf8Mark)) {
		_, _ = text.Discard(len(utf8Mark)) // they are in the buffer
	}
	rows := csv.NewReader(text)
	rows.FieldsPerRecord = -1 // told by line, below
	seed, met := maphash.MakeSeed(), map[string]bool{}
	step, handed := time.Now(), 0
	for first := true; ; first = false {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return repeats, nil
		}
		if err != nil {
			if _, malformed := errors.AsType[*csv.ParseError](err); !malformed {
				return repeats, fmt.Errorf("read the rows: %w", err)
			}
			l.fault(err) // has the line
			continue
		}
		line, _ := rows.FieldPos(0)
		if first && isHead(row) {
			continue
		}
		item, err := logItem(row)
		if err != nil {
			l.fault(fmt.Errorf("line %d: %w", line, err))
			continue
		}
		if met[row[0]] {
			repeats++
		}
		met[row[0]] = true
		select {
		case l.lanes[maphash.String(seed, row[0])%loadLanes] <- logRow{line, item}:
		case <-ctx.Done():
			return repeats, ctx.Err()
		}
		if handed++; handed%loadStep == 0 {
			fmt.Fprintf(out, "row %d, the last %d in %.2f s\n", handed, loadStep, time.Since(step).Seconds())
			step = time.Now()
		}
	}
}

// putAll puts the rows of a lane, one after the other.
func (l *loading) putAll(ctx context.Context, rows <-chan logRow) error {
	for row := range rows {
		err := l.put(ctx, row)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case isRefused(err):
			l.fault(fmt.Errorf("line %d: %s refuses it: %w", row.line, l.table, err))
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

func (l *loading) fault(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults.add(err)
}

// isRefused reports whether DynamoDB will never take an item: it is too large, or a value is none. That says nothing of the next item.
func isRefused(err error) bool {
	if answer, ok := errors.AsType[*awshttp.ResponseError](err); ok && answer.HTTPStatusCode() == http.StatusRequestEntityTooLarge {
		return true
	}
	refusal, ok := errors.AsType[smithy.APIError](err)
	return ok && slices.Contains([]string{"ValidationException", "ItemCollectionSizeLimitExceededException", "SerializationException"}, refusal.ErrorCode())
}

// rowFaults collects why rows are not loaded; it keeps the texts of the first ones only.
type rowFaults struct {
	n     int
	named []error
}

func (f *rowFaults) add(err error) {
	if f.n++; len(f.named) < maxRowFaults {
		f.named = append(f.named, err)
	}
}

func (f *rowFaults) err() error {
	if f.n == 0 {
		return nil
	}
	text := ""
	if more := f.n - len(f.named); more > 0 {
		text = fmt.Sprintf("\n… and %d more", more)
	}
	return fmt.Errorf("%s not loaded:\n%w%s", count(f.n, "row is", "rows are"), errors.Join(f.named...), text)
}

// isHead reports whether a row names the columns.
func isHead(row []string) bool {
	return slices.EqualFunc(row, logColumns, func(a, b string) bool { return strings.EqualFold(strings.TrimSpace(a), b) })
}

// logItem makes an item of a row: its columns, and the keys of the table and of
// its index on the host.
func logItem(row []string) (map[string]types.AttributeValue, error) {
	if len(row) != len(logColumns) {
		return nil, fmt.Errorf("it has %d columns, want %d", len(row), len(logColumns))
	}
	item := map[string]types.AttributeValue{
		"PK":       &types.AttributeValueMemberS{Value: "request#" + row[0]},
		"GSI_1_PK": &types.AttributeValueMemberS{Value: "host#" + row[1]},
	}
	for i, name := range logColumns {
		if !utf8.ValidString(row[i]) {
			return nil, fmt.Errorf("%s has bytes that are no UTF-8: %.80q", name, invalidPart([]byte(row[i])))
		}
		if !slices.Contains(logNumbers, name) {
			item[name] = &types.AttributeValueMemberS{Value: row[i]}
			continue
		}
		if _, err := decimal.NewFromString(row[i]); err != nil {
			return nil, fmt.Errorf("%s is %.80q, want a number", name, row[i])
		}
		item[name] = &types.AttributeValueMemberN{Value: row[i]}
	}
	return item, nil
}
