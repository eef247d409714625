package game

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/shopspring/decimal"

	"sluice/cli/verb"
	"sluice/consumers/leaderboard"
	"sluice/consumers/leaderboard/boards"
	"sluice/consumers/replication"
	replicationops "sluice/consumers/replication/ops"
	"sluice/deploy/local/stack"
	"sluice/shared/printable"
	"sluice/shared/verify"
)

// compare prints each player's written sum beside the total, and fails unless all are equal.
func compare(ctx context.Context, board boards.Board, written map[string]int64, scores int64) error {
	totals, err := board.Totals(ctx)
	if err != nil {
		return err
	}
	for user := range totals {
		if _, plays := written[user]; !plays {
			written[user] = 0 // on the board, but never wrote: shows as a difference
		}
	}
	different := 0
	w := printable.Table{Right: true}
	verb.SayLine()
	w.Row("player", "written", "leaderboard")
	for _, user := range slices.Sorted(maps.Keys(written)) {
		mark := ""
		if !totals[user].Equal(decimal.NewFromInt(written[user])) {
			different++
			mark = "differs"
		}
		w.Row(printable.Name(user), written[user], totals[user], mark)
	}
	if err := w.Flush(verb.Stdout); err != nil {
		return err
	}
	if different > 0 {
		return fmt.Errorf("%d of %d totals are not what was written", different, len(written))
	}
	verb.Say("\n%d players, %d scores: every total is exactly what was written.\n", len(written), scores)
	return compareBoxes(ctx, board)
}

// compareBoxes compares all boards with the score table, those of days and weeks too.
func compareBoxes(ctx context.Context, board boards.Board) error {
	c := verify.New(board.Client, board.Views, leaderboard.DefaultHorizon)
	c.Margin, c.Patience = 0, 0 // nothing is in flight
	result, err := c.Run(ctx)
	if err != nil {
		return err
	}
	if n := len(result.Differences); n > 0 {
		return fmt.Errorf("%d sums are not what their sources say, first %+v", n, result.Differences[0])
	}
	boxes := 0
	for _, v := range result.Views {
		if v.Name == boards.DailyBoard || v.Name == boards.WeeklyBoard {
			boxes += v.Items
		}
	}
	verb.Say("So are all %d on the daily and weekly boards.\n", boxes)
	return compareRanks(ctx, board)
}

// compareRanks asks for every player's rank and compares it with a sorted list of
// all totals.
func compareRanks(ctx context.Context, board boards.Board) error {
	players, err := board.Standings(ctx)
	if err != nil {
		return err
	}
	for i, player := range players {
		s, err := board.Rank(ctx, player.User, 0)
		if err != nil {
			return err
		}
		if rank := int64(i + 1); s.From != rank || s.To != rank || s.Players != int64(len(players)) {
			return fmt.Errorf("%s is number %d of %d, but ranks from %d to %d of %d", player.User, rank, len(players), s.From, s.To, s.Players)
		}
	}
	verb.Say("All %d ranks are those of a sorted list.\n", len(players))
	return nil
}

// compareCopies compares each copy with its source, item by item, and the score
// table's with how many scores were written, too.
func compareCopies(ctx context.Context, info stack.Info, scores int64) error {
	pairs, err := replicationops.NewPairs(verb.LocalPart(info, "replication"))
	if err != nil {
		return err
	}
	for _, p := range pairs.All() {
		v, err := p.Verify(ctx, replication.VerifyOptions{Segments: 1})
		if err != nil {
			return err
		}
		if n := len(v.Differences); n > 0 {
			return fmt.Errorf("replica %s: %d items of %s are not the same in %s, first: %s is %s",
				p.Route.Name, n, p.Route.Table, p.Route.Region, v.Differences[0].Key, v.Differences[0].What)
		}
		if int64(v.Items) != scores {
			return fmt.Errorf("replica %s: %d scores were written, but %s has %d items", p.Route.Name, scores, p.Route.Source, v.Items)
		}
		verb.SayLine(replicationops.AllTheSame(p, v))
	}
	return nil
}
