package main

import (
	"context"
	"fmt"
	"time"

	smithytime "github.com/aws/smithy-go/time"

	"sluice/consumers/leaderboard"
	"sluice/shared/operate"
	"sluice/shared/printable"
)

type verifyCommand struct {
	Leaderboard verifyLeaderboardCommand `cmd:"" help:"Compare each player's scores with the total on the leaderboard, and with the daily and weekly boards; and count the players of each bucket from which ranks are told. Exits with 1 if any differs."`
	Replication verifyReplicationCommand `cmd:"" help:"Compare each copy with the table that is copied, and a shared table in all its regions, and repair it if asked. Exits with 1 if anything differs."`
	Search      verifySearchCommand      `cmd:"" help:"Compare each index with its table, document by document, and repair it if asked. Exits with 1 if anything differs."`
	Badges      verifyBadgesCommand      `cmd:"" help:"Compare each player's badges, and the state that the rules look at, with what the plays earn, and repair it if asked. Exits with 1 if anything differs."`
}

type verifyLeaderboardCommand struct {
	pipelineFlags
	JSON bool          `help:"Print the result as JSON."`
	Wait time.Duration `help:"Look again until nothing differs, at most this long; changes may still be on their way." placeholder:"10s"`
}

// lookAgain is the pause between two looks.
const lookAgain = 500 * time.Millisecond

// lookUntil looks until nothing differs or the wait is over; the last look is told that it
// is: that is the one to repair.
func lookUntil[V any](ctx context.Context, wait time.Duration, look func(last bool) (v V, differs bool, err error)) (V, error) {
	operate.Within(ctx, wait)
	deadline := time.Now().Add(wait)
	for {
		last := !time.Now().Before(deadline)
		v, differs, err := look(last)
		if err != nil || last || !differs {
			return v, err
		}
		if err := smithytime.SleepWithContext(ctx, lookAgain); err != nil {
			return v, err
		}
	}
}

func (c *verifyLeaderboardCommand) verify(ctx context.Context, board leaderboard.Board) (leaderboard.Verification, error) {
	return lookUntil(ctx, c.Wait, func(bool) (leaderboard.Verification, bool, error) {
		v, err := board.Verify(ctx, time.Now())
		return v, len(v.Differences) > 0, err
	})
}

func (c *verifyLeaderboardCommand) Run(ctx context.Context) error {
	board, err := c.board(ctx)
	if err != nil {
		return err
	}
	v, err := c.verify(ctx, board)
	if err != nil {
		return operate.GoOn(err, "Scores and boards were not compared to the end, so nothing is known of them. Run the same again.")
	}
	if c.JSON {
		if err := printJSON(v); err != nil {
			return err
		}
	} else if len(v.Differences) == 0 {
		say("%d players, every total is the sum of the scores written; so is each of %d on the daily and weekly boards. All %d buckets of players are counted right.\n", v.Players, v.Boxes, v.Buckets)
	} else {
		w := printable.Table{Right: true}
		w.Row("board", "player", "written", "leaderboard")
		for _, d := range v.Differences {
			name := printable.Name(d.User)
			if d.Bucket != "" {
				name = "players of " + d.Bucket
			}
			w.Row(d.Board, name, d.Written, d.Shown)
		}
		if err := w.Flush(stdout); err != nil {
			return err
		}
	}
	if n := len(v.Differences); n > 0 {
		return fmt.Errorf("%d of %d totals and counts differ; if changes are still on their way, look again with --wait 10s", n, v.Players+v.Boxes+v.Buckets)
	}
	return nil
}
