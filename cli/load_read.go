package cli

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/shopspring/decimal"

	"sluice/cli/verb"
	"sluice/shared/change"
	"sluice/shared/operate"
)

// logColumns are the columns of a log's row; those in logNumbers are numbers.
var (
	logColumns = []string{"requestid", "host", "date", "hourofday", "timezone", "method", "url", "responsecode", "bytessent", "useragent"}
	logNumbers = []string{"requestid", "hourofday", "responsecode", "bytessent"}
)

// logRow is one row as an item.
type logRow struct {
	line int
	item map[string]types.AttributeValue
}

// key returns the row's key in the table.
func (r logRow) key() string { return r.item["PK"].(*types.AttributeValueMemberS).Value }

// readLog reads the rows of a log, in their order. Rows that make no item go to fault. An error of row ends the reading.
func readLog(from io.Reader, row func(logRow) error, fault func(rowFault)) error {
	text := bufio.NewReader(from)
	beginning, err := text.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the rows: %w", err)
	}
	if err := verb.CheckEncoding(beginning); err != nil {
		return err
	}
	if strings.HasPrefix(string(beginning), string(verb.UTF8Mark)) {
		_, _ = text.Discard(len(verb.UTF8Mark)) // they are in the buffer
	}
	rows := csv.NewReader(text)
	rows.FieldsPerRecord = -1 // told by line, below
	for first := true; ; first = false {
		fields, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			malformed, ok := errors.AsType[*csv.ParseError](err)
			if !ok {
				return fmt.Errorf("read the rows: %w", err)
			}
			fault(malformedRow(malformed))
			continue
		}
		line, _ := rows.FieldPos(0)
		if first && isHead(fields) {
			continue
		}
		item, err := logItem(fields)
		if err != nil {
			last, _ := rows.FieldPos(len(fields) - 1)
			fault(rowFault{line, 1 + last - line + strings.Count(fields[len(fields)-1], "\n"), err})
			continue
		}
		if err := row(logRow{line, item}); err != nil {
			return err
		}
	}
}

// malformedRow says which lines a row has that is no CSV. A quote that is never closed takes all lines up to the end.
func malformedRow(err *csv.ParseError) rowFault {
	f := rowFault{err.StartLine, 1 + err.Line - err.StartLine, err.Err}
	if f.lines > 1 {
		f.err = fmt.Errorf("a quote of line %d isn't closed there, so these lines are one row: %w", err.StartLine, err.Err)
	}
	return f
}

// maxRowFaults is how many rows that aren't loaded are named one by one.
const maxRowFaults = 20

// rowFault says why a row isn't loaded.
type rowFault struct {
	line, lines int // where it begins, and how many lines it has
	err         error
}

func (f rowFault) Error() string {
	if f.lines > 1 {
		return fmt.Sprintf("lines %d to %d: %v", f.line, f.line+f.lines-1, f.err)
	}
	return fmt.Sprintf("line %d: %v", f.line, f.err)
}

func (f rowFault) Unwrap() error { return f.err }

// rowFaults counts the lines that aren't loaded. It keeps the first faults in the order of the file.
type rowFaults struct {
	n     int // lines
	all   int // faults
	named []rowFault
}

func (f *rowFaults) add(fault rowFault) {
	f.n += fault.lines
	f.all++
	at, _ := slices.BinarySearchFunc(f.named, fault, func(a, b rowFault) int { return cmp.Compare(a.line, b.line) })
	f.named = slices.Insert(f.named, at, fault)
	f.named = f.named[:min(len(f.named), maxRowFaults)]
}

func (f *rowFaults) err() error {
	if f.n == 0 {
		return nil
	}
	text := ""
	if more := f.all - len(f.named); more > 0 {
		text = fmt.Sprintf("\n… and %d more", more)
	}
	var named []error
	for _, fault := range f.named {
		named = append(named, fault)
	}
	return fmt.Errorf("%s not loaded:\n%w%s", operate.Count(f.n, "line is", "lines are"), errors.Join(named...), text)
}

// isHead reports whether a row names the columns.
func isHead(row []string) bool {
	return slices.EqualFunc(row, logColumns, func(a, b string) bool { return strings.EqualFold(strings.TrimSpace(a), b) })
}

// logItem makes an item of a row: its columns, and the keys of the table and of its index on the host.
func logItem(row []string) (map[string]types.AttributeValue, error) {
	if len(row) != len(logColumns) {
		return nil, fmt.Errorf("it has %s, want %d", operate.Count(len(row), "column"), len(logColumns))
	}
	item := map[string]types.AttributeValue{
		"GSI_1_PK": &types.AttributeValueMemberS{Value: "host#" + row[1]},
	}
	for i, name := range logColumns {
		if !utf8.ValidString(row[i]) {
			return nil, fmt.Errorf("%s has bytes that are no UTF-8: %.80q", name, verb.InvalidPart([]byte(row[i])))
		}
		if !slices.Contains(logNumbers, name) {
			item[name] = &types.AttributeValueMemberS{Value: row[i]}
			continue
		}
		n, err := logNumber(row[i])
		if err != nil {
			return nil, fmt.Errorf("%s %w", name, err)
		}
		if i == 0 { // 1e2, 100.0 and 100 are one id
			item["PK"] = &types.AttributeValueMemberS{Value: "request#" + n.String()}
		}
		item[name] = &types.AttributeValueMemberN{Value: row[i]}
	}
	return item, nil
}

// logNumber reads a number that DynamoDB can hold.
func logNumber(text string) (decimal.Decimal, error) {
	n, err := decimal.NewFromString(text)
	if err != nil {
		return n, fmt.Errorf("is %.80q, want a number", text)
	}
	if !change.IsNumber(fmt.Sprintf("%vE%d", n.Coefficient(), n.Exponent())) {
		return n, fmt.Errorf("is %.80q; DynamoDB holds numbers of at most 38 digits, between 1E-130 and 9.9E+125", text)
	}
	if n.IsZero() {
		return decimal.Zero, nil // 0E+900000 would be a long text
	}
	return n, nil
}
