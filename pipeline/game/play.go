package game

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sluice/cli/verb"
	"sluice/shared/declaration"
	"sluice/shared/operate"
)

type gameFlags struct {
	Players int           `default:"10" help:"How many players; the first ten have names."`
	For     time.Duration `default:"30s" help:"How long to play, like 10s or 2m."`
	Rate    *float64      `help:"Scores a second of all players together, more than 0; without it each pauses up to 5 s between two." placeholder:"N"`
	Seed    uint64        `help:"Play the same scores and pauses as another time with this seed." placeholder:"N"`
}

// maxPlayers and maxRate bound the load that one process makes; each player is a goroutine.
const (
	maxPlayers = 10_000
	maxRate    = 100_000
)

func (f *gameFlags) Validate() error {
	var faults []error
	if f.Players < 1 || f.Players > maxPlayers {
		faults = append(faults, fmt.Errorf("--players must be from 1 to %d (got %d)", maxPlayers, f.Players))
	}
	if f.For <= 0 {
		faults = append(faults, fmt.Errorf("--for must be longer than 0 (got %v)", f.For))
	}
	if f.Rate != nil && !(*f.Rate > 0 && *f.Rate <= maxRate) { // NaN is neither
		faults = append(faults, fmt.Errorf("--rate must be a number above 0, at most %d (got %v)", maxRate, *f.Rate))
	}
	if f.Seed == 0 {
		f.Seed = rand.Uint64()
	}
	return errors.Join(faults...)
}

// game is the game that the flags describe.
func (f *gameFlags) game(t tables, scored func(user string, score int)) Game {
	return Game{
		Client: t.client, Table: t.scores, Players: f.Players, For: f.For,
		Rate: aws.ToFloat64(f.Rate), Seed: f.Seed, Scored: scored,
	}
}

type playCommand struct {
	verb.PipelineFlags
	gameFlags
	verb.ConsentFlags
}

// Run plays. It asks first if it writes to AWS.
func (c *playCommand) Run(ctx context.Context, pipeline declaration.Pipeline) error {
	t, err := findTables(ctx, c.PipelineFlags, pipeline)
	if err != nil {
		return err
	}
	if c.Stack != "" || c.DryRun {
		plan, err := c.plan(ctx, t)
		if err != nil {
			return err
		}
		if ok, err := c.Consent(operate.Removal{}, false).To(ctx, plan); err != nil || !ok {
			return err
		}
	}
	verb.Say("%d players write to %s for %v (seed %d)\n", c.Players, t.scores, c.For, c.Seed)
	var scores atomic.Int64
	written, err := c.game(t, func(string, int) { scores.Add(1) }).Play(ctx)
	var points int64
	for _, n := range written {
		points += n
	}
	atLeast := ""
	if err != nil {
		atLeast = "at least " // a write without an answer may have been done
	}
	verb.Say("%s%d scores written, %d points in all\n", atLeast, scores.Load(), points)
	if ctx.Err() != nil {
		return errors.Join(errors.New("interrupted before the time was up; the scores that are written stay"), err)
	}
	return err
}

// plan says about how many scores the game would write. Each is a new item.
func (c *playCommand) plan(ctx context.Context, t tables) (operate.Plan, error) {
	where, err := c.Place(ctx)
	if err != nil {
		return operate.Plan{}, err
	}
	about, err := t.client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &t.scores})
	if err != nil {
		return operate.Plan{}, fmt.Errorf("describe table %s: %w", t.scores, err)
	}
	return operate.Plan{Verb: "sluice play", Where: where, Steps: []operate.Step{{
		Into: "table " + t.scores, Write: c.game(t, nil).Expected(), About: true, Held: int(aws.ToInt64(about.Table.ItemCount)),
		Act: fmt.Sprintf("%s made-up scores for %v; no verb takes them away again", operate.Count(c.Players, "player adds", "players add"), c.For),
	}}}, nil
}
