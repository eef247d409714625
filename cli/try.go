package cli

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sluice/cli/madeup"
	"sluice/cli/verb"
	"sluice/deploy/local/stack"
	"sluice/shared/declaration"
	"sluice/shared/operate"
)

type tryCommand struct {
	Items int    `default:"100" help:"How many items are made up for each table."`
	Seed  uint64 `help:"Decides what is made up; by default, the time does." placeholder:"N"`
}

// drainTimeout is how long consumers may take for what was written.
const drainTimeout = 2 * time.Minute

// Run starts a stack of its own, writes items that the declarations take to each table, compares every destination, and stops.
func (c *tryCommand) Run(ctx context.Context, p declaration.Pipeline, consumers registry) (err error) {
	root, err := verb.Checkout()
	if err != nil {
		return err
	}
	if c.Items < 1 {
		return fmt.Errorf("--items must be at least 1 (got %d)", c.Items)
	}
	if c.Seed == 0 {
		c.Seed = uint64(time.Now().UnixNano())
	}
	tables, err := madeup.Tables(root, p, consumers)
	if err != nil {
		return err
	}
	tables = slices.DeleteFunc(tables, func(t madeup.Table) bool { return t.Kept })
	if len(tables) == 0 {
		return errors.New("no template in deploy has a table whose changes go into the stream: declare one with sluice new table")
	}
	dir, err := os.MkdirTemp("", "sluice-try-")
	if err != nil {
		return err
	}
	running, err := stack.Start(ctx, stack.Options{Root: root, RunDir: dir, Progress: verb.Progress})
	if err != nil {
		return fmt.Errorf("%w\n(logs are in %s)", err, dir)
	}
	defer func() {
		if err = errors.Join(err, running.Stop(context.WithoutCancel(ctx))); err != nil {
			err = fmt.Errorf("%w\n(--seed %d; logs are in %s)", err, c.Seed, dir)
			return
		}
		err = os.RemoveAll(dir)
	}()
	verb.SayLine()
	for _, t := range tables {
		if err := c.write(ctx, dynamodb.NewFromConfig(running.Info().DynamoDB()), t); err != nil {
			return err
		}
	}
	draining, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	if err := running.Drain(draining); err != nil {
		return err
	}
	verb.SayLine("Every consumer is done with every change.\n")
	return c.compare(ctx, running.Info(), consumers)
}

// compare compares every destination with its source.
func (c *tryCommand) compare(ctx context.Context, info stack.Info, consumers registry) error {
	var all []*operate.Verified
	var faults []error
	for _, one := range consumers {
		v := notCompared(one)
		if verifier, can := one.(operate.Verifier); can {
			comparisons, err := verifier.Verify().Open(ctx, verb.LocalPart(info, one.Name()), operate.Options{Segments: 1})
			if err != nil {
				return fmt.Errorf("%s: %w", one.Name(), err)
			}
			v = operate.Verify(ctx, one.Name(), comparisons, operate.Judging{})
			faults = append(faults, v.Err())
		}
		if err := v.Print(verb.Stdout); err != nil {
			return err
		}
		all = append(all, v)
	}
	verb.SayLine()
	return errors.Join(append(faults, operate.Summarize(verb.Stdout, all))...)
}

// write puts items into a table, changes a third of them, and removes a fifth.
func (c *tryCommand) write(ctx context.Context, client *dynamodb.Client, t madeup.Table) error {
	r := rand.New(rand.NewPCG(c.Seed, 0))
	changed, removed := 0, 0
	for n := range c.Items {
		item := t.Item(r, n)
		if _, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &t.Name, Item: item}); err != nil {
			return fmt.Errorf("put a made-up item into table %s: %w", t.Name, err)
		}
		key := t.KeyOf(item)
		switch {
		case n%3 == 0:
			again := t.Item(r, n)
			for name, value := range key {
				again[name] = value
			}
			if _, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &t.Name, Item: again}); err != nil {
				return fmt.Errorf("change a made-up item of table %s: %w", t.Name, err)
			}
			changed++
		case n%5 == 1:
			if _, err := client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &t.Name, Key: key}); err != nil {
				return fmt.Errorf("remove a made-up item of table %s: %w", t.Name, err)
			}
			removed++
		}
	}
	verb.Say("Table %s: %s written, %d of them changed and %d removed (--seed %d).\n", t.Name, operate.Count(c.Items, "made-up item", "made-up items"), changed, removed, c.Seed)
	return nil
}
