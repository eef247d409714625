package game

import (
	"context"
	"maps"
	"slices"
	"time"

	"sluice/cli/verb"
	"sluice/consumers/leaderboard/boards"
	leaderboardops "sluice/consumers/leaderboard/ops"
	"sluice/deploy/local/stack"
	"sluice/shared/printable"
)

// printChaos tells what went wrong on purpose.
func printChaos(info stack.Info) {
	verb.Say("Of %d records the stream repeated %d and reordered %d.", info.Bridge.Written, info.Bridge.Repeated, info.Bridge.Reordered)
	for _, name := range slices.Sorted(maps.Keys(info.Mappings)) {
		m := info.Mappings[name]
		verb.Say(" %s was killed in %d of %d invocations.", name, m.Killed, m.Invocations)
	}
	verb.SayLine()
}

// printBoard shows the queries that the boards are for.
func printBoard(ctx context.Context, board boards.Board) error {
	const players, scores = 3, 10
	best, err := board.Top(ctx, players)
	if err != nil {
		return err
	}
	verb.Say("\nTop %d\n", players)
	if err := leaderboardops.PrintTop(verb.Stdout, best); err != nil || len(best) == 0 {
		return err
	}
	verb.SayLine()
	if err := leaderboardops.PrintTopOf(ctx, verb.Stdout, board, boards.DailyBoard, time.Now(), players); err != nil {
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
	verb.SayLine()
	if err := leaderboardops.PrintStanding(verb.Stdout, standing); err != nil {
		return err
	}
	events, err := board.History(ctx, best[0].User, scores)
	if err != nil {
		return err
	}
	verb.Say("\nLatest %d of %s\n", scores, printable.Name(best[0].User))
	return leaderboardops.PrintHistory(verb.Stdout, events)
}
