package game

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"sluice/cli/verb"
	"sluice/consumers/leaderboard"
	"sluice/consumers/leaderboard/boards"
	replicationops "sluice/consumers/replication/ops"
	"sluice/deploy/local/stack"
	"sluice/shared/declaration"
	"sluice/shared/operate"
	"sluice/shared/printable"
	"sluice/shared/verify"
)

// compare prints each player's written sum beside the total, and fails unless all are equal.
func compare(ctx context.Context, t tables, written map[string]int64, scores int64) error {
	entries, err := t.totals.All(ctx)
	if err != nil {
		return err
	}
	totals := map[string]decimal.Decimal{}
	for _, e := range entries {
		totals[e.Name] = e.Number
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
	return compareViews(ctx, t)
}

// compareViews compares every view with its source, those of days, weeks and pets too.
func compareViews(ctx context.Context, t tables) error {
	// Nothing is in flight.
	r, err := operate.Compare(ctx, verify.New(t.client, t.views, leaderboard.DefaultHorizon, operate.Options{Segments: 1}), operate.Judging{})
	if err != nil {
		return err
	}
	if n := len(r.Differences); n > 0 {
		return fmt.Errorf("%d sums are not what their sources say, first %+v", n, r.Differences[0])
	}
	verb.Say("So are the sums of all %d items of %d views.\n", r.Items, len(t.views)-len(r.NotCompared))
	return compareRanks(ctx, t.totals)
}

// compareRanks asks for every player's rank and compares it with a sorted list of
// all totals.
func compareRanks(ctx context.Context, board *boards.Board) error {
	players, err := board.All(ctx)
	if err != nil {
		return err
	}
	for i, player := range players {
		s, err := board.Rank(ctx, player.Name, 0)
		if err != nil {
			return err
		}
		if rank := int64(i + 1); s.From != rank || s.To != rank || s.Entries != int64(len(players)) {
			return fmt.Errorf("%s is number %d of %d, but ranks from %d to %d of %d", player.Name, rank, len(players), s.From, s.To, s.Entries)
		}
	}
	verb.Say("All %d ranks are those of a sorted list.\n", len(players))
	return nil
}

// compareCopies compares each copy with its source, item by item, and the score
// table's with how many scores were written, too.
func compareCopies(ctx context.Context, info stack.Info, pipeline declaration.Pipeline, scoreTable string, scores int64) error {
	copies, err := replicationops.Consumer(pipeline).(operate.Verifier).Verify().Open(ctx, verb.LocalPart(info, "replication"), operate.Options{Segments: 1})
	if err != nil {
		return err
	}
	v := operate.Verify(ctx, "replication", copies, operate.Judging{})
	if err := v.Err(); err != nil {
		return err
	}
	for _, r := range v.Reports {
		if strings.HasPrefix(r.Source, "table "+scoreTable+" ") && int64(r.Items) != scores {
			return fmt.Errorf("replica %s: %d scores were written, but %s has %d items", r.Name, scores, r.Source, r.Items)
		}
	}
	return v.Print(verb.Stdout)
}
