package cli

import (
	"context"
	"maps"
	"slices"
	"time"

	"sluice/consumers/leaderboard/boards"
	"sluice/deploy/local/stack"
	"sluice/shared/printable"
)

// printChaos tells what went wrong on purpose.
func printChaos(info stack.Info) {
	say("Of %d records the stream repeated %d and reordered %d.", info.Bridge.Written, info.Bridge.Repeated, info.Bridge.Reordered)
	for _, name := range slices.Sorted(maps.Keys(info.Mappings)) {
		m := info.Mappings[name]
		say(" %s was killed in %d of %d invocations.", name, m.Killed, m.Invocations)
	}
	sayLine()
}

// printBoard shows the queries that the boards are for.
func printBoard(ctx context.Context, board boards.Board) error {
	const players, scores = 3, 10
	best, err := board.Top(ctx, players)
	if err != nil {
		return err
	}
	say("\nTop %d\n", players)
	if err := printTop(stdout, best); err != nil || len(best) == 0 {
		return err
	}
	sayLine()
	if err := printTopOf(ctx, stdout, board, boards.DailyBoard, time.Now(), players); err != nil {
		return err
	}
	all, err := board.Standings(ctx)
	if err != nil {
		return err
	}
	const neighbours = 2
	standing, err := board.Rank(ctx, all[len(all)/2].User, neighbours)
	if err != nil {
		return err
	}
	sayLine()
	if err := printStanding(stdout, standing); err != nil {
		return err
	}
	events, err := board.History(ctx, best[0].User, scores)
	if err != nil {
		return err
	}
	say("\nLatest %d of %s\n", scores, printable.Name(best[0].User))
	return printHistory(stdout, events)
}
