package main

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sluice/deploy/local/stack"
)

type loadCommand struct {
	localFlags
	AWS   bool   `help:"Load into the table on AWS, account and region as for the AWS CLI, instead of the local stack."`
	File  string `arg:"" type:"existingfile" help:"The CSV file in UTF-8: requestid, host, date, hourofday, timezone, method, url, responsecode, bytessent, useragent. - reads standard input."`
	Table string `default:"logfile" help:"The table; its key is PK."`
}

func (c *loadCommand) Run(ctx context.Context) error {
	client, err := c.client(ctx)
	if err != nil {
		return err
	}
	file, err := openInput(c.File)
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

const (
	loadLanes   = 16
	loadStep    = 100              // rows between two lines of progress
	loadTimeout = 30 * time.Second // one row, with the SDK's own retries
	// maxRowFaults is how many rows that aren't loaded are named one by one.
	maxRowFaults = 20
)
