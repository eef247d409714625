package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"sluice/cli/verb"
	"sluice/deploy/local/stack"
	"sluice/shared/operate"
)

type loadCommand struct {
	verb.LocalFlags
	AWS   bool   `help:"Load into the table on AWS, account and region as for the AWS CLI, instead of the local stack."`
	File  string `arg:"" type:"existingfile" help:"The CSV file in UTF-8: requestid, host, date, hourofday, timezone, method, url, responsecode, bytessent, useragent. - reads standard input."`
	Table string `default:"logfile" help:"The table; its key is PK."`
	verb.ConsentFlags
}

// Run loads the file. It asks first if it writes to AWS, or would overwrite items.
func (c *loadCommand) Run(ctx context.Context) error {
	client, where, err := c.target(ctx)
	if err != nil {
		return err
	}
	file, done, err := openTwice(c.File)
	if err != nil {
		return err
	}
	defer done()
	found, err := survey(ctx, client, c.Table, file)
	if err != nil {
		return err
	}
	if found.rows == 0 && found.faults.n == 0 {
		return fmt.Errorf("%s has no rows, so nothing was loaded", verb.InputName(c.File))
	}
	if c.AWS || c.DryRun || found.overwrites > 0 {
		plan := operate.Plan{Verb: "sluice load " + verb.InputName(c.File), Where: where, Steps: []operate.Step{found.step(c.Table, verb.InputName(c.File))}}
		if ok, err := c.Consent(operate.Removal{}, false).To(ctx, plan); err != nil || !ok {
			return errors.Join(err, found.faults.err()) // nothing more is done about these rows
		}
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read %s again: %w", verb.InputName(c.File), err)
	}
	return load(ctx, client, c.Table, file, verb.Stdout)
}

// target returns how to reach the table, and where that is.
func (c *loadCommand) target(ctx context.Context) (client *dynamodb.Client, where string, err error) {
	if c.AWS {
		cfg, err := verb.DeployedConfig(ctx, "")
		if err != nil {
			return nil, "", err
		}
		where, err := verb.AWSAccount(ctx, cfg)
		return dynamodb.NewFromConfig(cfg), where, err
	}
	info, err := c.Load(ctx)
	if err != nil {
		return nil, "", err
	}
	if info.State != stack.Ready {
		return nil, "", fmt.Errorf("the local stack is %s; start it with \"sluice up\", or load into a table on AWS with --aws", info.State)
	}
	return dynamodb.NewFromConfig(info.DynamoDB()), "the local stack at " + info.RunDir, nil
}

// openTwice opens a file that is read twice. What can be read only once, such as standard input, is copied first.
func openTwice(path string) (file io.ReadSeeker, done func(), err error) {
	in, err := verb.OpenInput(path)
	if err != nil {
		return nil, nil, err
	}
	if f, ok := in.(*os.File); ok {
		if about, err := f.Stat(); err == nil && about.Mode().IsRegular() {
			return f, func() { _ = f.Close() }, nil
		}
	}
	defer in.Close()
	kept, err := os.CreateTemp("", "sluice-load-")
	if err != nil {
		return nil, nil, fmt.Errorf("keep a copy of %s: %w", verb.InputName(path), err)
	}
	done = func() { _, _ = kept.Close(), os.Remove(kept.Name()) }
	_, err = io.Copy(kept, in)
	if err == nil {
		_, err = kept.Seek(0, io.SeekStart)
	}
	if err != nil {
		done()
		return nil, nil, fmt.Errorf("keep a copy of %s: %w", verb.InputName(path), err)
	}
	return kept, done, nil
}

// surveyed says what a load would write.
type surveyed struct {
	rows, items, held, overwrites int
	faults                        rowFaults
}

func (s surveyed) step(table, file string) operate.Step {
	step := operate.Step{Into: "table " + table, From: file, Write: s.items, Held: s.held}
	if s.overwrites > 0 {
		step.Notes = append(step.Notes, fmt.Sprintf("%s overwritten", operate.Count(s.overwrites, "item of the same requestid is", "items of the same requestid are")))
	}
	if more := s.rows - s.items; more > 0 {
		step.Notes = append(step.Notes, fmt.Sprintf("%s the requestid of an earlier row and replaced it", operate.Count(more, "row has", "rows have")))
	}
	if s.faults.n > 0 {
		step.Notes = append(step.Notes, fmt.Sprintf("%s no item; the load leaves out what makes none", operate.Count(s.faults.n, "line makes", "lines make")))
	}
	return step
}

// survey reads all rows, and looks which of their items are in the table.
func survey(ctx context.Context, client *dynamodb.Client, table string, text io.Reader) (s surveyed, err error) {
	source, err := operate.OpenSource(ctx, client, table)
	if _, missing := errors.AsType[*types.ResourceNotFoundException](err); missing {
		return s, fmt.Errorf("there is no table %s", table)
	}
	if err != nil {
		return s, err
	}
	if !slices.Equal(source.Keys, []string{"PK"}) {
		return s, fmt.Errorf("the key of table %s isn't PK alone; see the example logfile.yaml of consumers/replication", table)
	}
	s.held = source.Count
	items := map[string]bool{}
	if err := readLog(text, func(row logRow) error {
		s.rows++
		items[row.key()] = true
		return ctx.Err()
	}, s.faults.add); err != nil {
		return s, err
	}
	s.items = len(items)
	s.overwrites, err = present(ctx, source, items)
	return s, err
}

// present counts the items of a table with one of these keys.
func present(ctx context.Context, source *operate.Source, keys map[string]bool) (int, error) {
	const perCall, calls = 100, 8
	var found atomic.Int64
	group, asking := errgroup.WithContext(ctx)
	group.SetLimit(calls)
	var all []operate.Item
	for key := range keys {
		all = append(all, operate.Item{"PK": &types.AttributeValueMemberS{Value: key}})
	}
	for some := range slices.Chunk(all, perCall) {
		group.Go(func() error {
			there, err := source.GetAll(asking, some)
			found.Add(int64(len(there)))
			return err
		})
	}
	err := group.Wait()
	return int(found.Load()), err
}
