package game

import (
	"context"
	"maps"
	"slices"
	"time"

	"sluice/cli/verb"
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
func printBoard(ctx context.Context, t tables) error {
	const players, scores = 3, 10
	best, err := t.totals.Top(ctx, "", players)
	if err != nil {
		return err
	}
	verb.Say("\nTop %d\n", players)
	if err := leaderboardops.PrintTop(verb.Stdout, best); err != nil || len(best) == 0 {
		return err
	}
	verb.SayLine()
	if err := leaderboardops.PrintTopAt(ctx, verb.Stdout, t.daily, time.Now(), players); err != nil {
		return err
	}
	all, err := t.totals.All(ctx)
	if err != nil {
		return err
	}
	const neighbours = 2
	standing, err := t.totals.Rank(ctx, all[len(all)/2].Name, neighbours)
	if err != nil {
		return err
	}
	verb.SayLine()
	if err := leaderboardops.PrintStanding(verb.Stdout, standing, "players"); err != nil {
		return err
	}
	latest, err := t.history(ctx, best[0].Name, scores)
	if err != nil {
		return err
	}
	verb.Say("\nLatest %d of %s\n", scores, printable.Name(best[0].Name))
	return printHistory(verb.Stdout, latest)
}
