package bridge

import (
	"context"
	"errors"
	"fmt"
	"time"

	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// follow reports whether the table has a stream. After the table was made again, or its stream was switched off and on, that is
// another stream: what is left of the old one is carried first. A source that has ended looks like one that is quiet, so a
// table without a stream is a problem that [TableStats] shows.
func (c *carrier) follow(ctx context.Context) (there bool, err error) {
	arn, err := c.findStream(ctx)
	switch {
	case errors.Is(err, errNoTable):
		return false, c.lose(ctx, "it was deleted, so there are no changes to carry; those of a new table of that name will be carried")
	case errors.Is(err, errNoStream):
		return false, c.lose(ctx, "its stream was switched off, so its changes are not carried; they will be once it has one of new and old images again")
	case err != nil:
		return false, err
	case arn == c.source.arn && !c.lost:
		return true, nil
	}
	if arn != c.source.arn {
		if err := c.readOut(ctx); err != nil {
			return false, err
		}
		c.source = source{streams: c.source.streams, arn: arn}
	}
	c.lost = false
	problem := fmt.Sprintf("since %s it is another table, or has another stream: the new changes are carried. Changes in between may be missing, and what "+
		"consumers made of the old items is still there: \"sluice verify CONSUMER\" shows what differs", time.Now().Format(time.TimeOnly))
	c.counts.count(func(t *TableStats) { t.Problem = problem })
	c.log.WarnContext(ctx, "the table's stream is another one", "stream", arn)
	return true, nil
}

// lose notes that the table has no stream. What is left of the old one is carried, as far as it can be read.
func (c *carrier) lose(ctx context.Context, problem string) error {
	c.counts.count(func(t *TableStats) { t.Quiet++ }) // there is nothing to be read
	c.counts.answered()
	if c.lost {
		return nil
	}
	c.lost = true
	c.counts.count(func(t *TableStats) { t.Problem = problem })
	c.log.ErrorContext(ctx, "the table's changes can't be carried", "problem", problem)
	return c.readOut(ctx)
}

func (c *carrier) readOut(ctx context.Context) error {
	for {
		changes, ended, err := c.round(ctx)
		if isGone(err) {
			return nil
		}
		if err != nil || changes == 0 && !ended {
			return err
		}
	}
}

func isGone(err error) bool {
	_, gone := errors.AsType[*streamtypes.ResourceNotFoundException](err)
	return gone
}
