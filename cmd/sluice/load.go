package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/shopspring/decimal"
	"golang.org/x/sync/errgroup"

	"sluice/deploy/local/stack"
)

type loadCommand struct {
	localFlags
	AWS   bool   `help:"Load into the table on AWS, account and region as for the AWS CLI, instead of the local stack."`
	File  string `arg:"" type:"existingfile" help:"The CSV file: requestid, host, date, hourofday, timezone, method, url, responsecode, bytessent, useragent."`
	Table string `default:"logfile" help:"The table; its key is PK."`
}

// logColumns are the columns of a log's row; those in logNumbers are numbers.
var (
	logColumns = []string{"requestid", "host", "date", "hourofday", "timezone", "method", "url", "responsecode", "bytessent", "useragent"}
	logNumbers = []string{"requestid", "hourofday", "responsecode", "bytessent"}
)

const (
	loadConcurrency = 16
	loadStep        = 100 // rows between two lines of progress
)

func (c *loadCommand) Run(ctx context.Context) error {
	client, err := c.client(ctx)
	if err != nil {
		return err
	}
	file, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer file.Close()
	return load(ctx, client, c.Table, file, stdout)
}

func (c *loadCommand) client(ctx context.Context) (*dynamodb.Client, error) {
	if c.AWS {
		cfg, err := awsConfig(ctx, "")
		if err != nil {
			return nil, err
		}
		return dynamodb.NewFromConfig(cfg), nil
	}
	info, err := c.load(ctx)
	if err != nil {
		return nil, err
	}
	if info.State != stack.Ready {
		return nil, fmt.Errorf("the local stack is %s; start it with \"sluice up\", or load into a table on AWS with --aws", info.State)
	}
	return dynamodb.NewFromConfig(info.DynamoDB()), nil
}

// load puts each row of a log as an item. Rows that are none it names with their
// line; the others are loaded all the same.
func load(ctx context.Context, client *dynamodb.Client, table string, from io.Reader, out io.Writer) error {
	rows := csv.NewReader(from)
	rows.FieldsPerRecord = -1 // told by line, below
	group, putting := errgroup.WithContext(ctx)
	group.SetLimit(loadConcurrency)
	var faults []error
	began, step, loaded := time.Now(), time.Now(), 0
	for putting.Err() == nil {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			if _, malformed := errors.AsType[*csv.ParseError](err); !malformed {
				return errors.Join(err, group.Wait())
			}
			faults = append(faults, err) // has the line
			continue
		}
		line, _ := rows.FieldPos(0)
		if line == 1 && slices.Equal(row, logColumns) {
			continue
		}
		item, err := logItem(row)
		if err != nil {
			faults = append(faults, fmt.Errorf("line %d: %w", line, err))
			continue
		}
		group.Go(func() error {
			if _, err := client.PutItem(putting, &dynamodb.PutItemInput{TableName: &table, Item: item}); err != nil {
				return fmt.Errorf("line %d: put into %s: %w", line, table, err)
			}
			return nil
		})
		if loaded++; loaded%loadStep == 0 {
			fmt.Fprintf(out, "row %d, the last %d in %.2f s\n", loaded, loadStep, time.Since(step).Seconds())
			step = time.Now()
		}
	}
	if err := group.Wait(); err != nil {
		return err
	}
	fmt.Fprintf(out, "%d rows in %.2f s\n", loaded, time.Since(began).Seconds())
	if len(faults) > 0 {
		return fmt.Errorf("%d rows are not loaded:\n%w", len(faults), errors.Join(faults...))
	}
	return nil
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
		if !slices.Contains(logNumbers, name) {
			item[name] = &types.AttributeValueMemberS{Value: row[i]}
			continue
		}
		if _, err := decimal.NewFromString(row[i]); err != nil {
			return nil, fmt.Errorf("%s is %q, want a number", name, row[i])
		}
		item[name] = &types.AttributeValueMemberN{Value: row[i]}
	}
	return item, nil
}
