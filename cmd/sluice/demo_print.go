package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"sluice/consumers/leaderboard"
	"sluice/deploy/local/stack"
)

// printChaos tells what went wrong on purpose.
func printChaos(info stack.Info) {
	fmt.Printf("Of %d records the stream repeated %d and reordered %d.", info.Bridge.Written, info.Bridge.Repeated, info.Bridge.Reordered)
	for _, name := range slices.Sorted(maps.Keys(info.Mappings)) {
		m := info.Mappings[name]
		fmt.Printf(" %s was killed in %d of %d invocations.", name, m.Killed, m.Invocations)
	}
	fmt.Println()
}

// printBoard shows the queries that the boards are for.
func printBoard(ctx context.Context, board leaderboard.Board) error {
	const players, scores = 3, 10
	best, err := board.Top(ctx, players)
	if err != nil {
		return err
	}
	fmt.Printf("\nTop %d\n", players)
	if err := printTop(os.Stdout, best); err != nil || len(best) == 0 {
		return err
	}
	fmt.Println()
	if err := printTopOf(ctx, os.Stdout, board, leaderboard.DailyBoard, time.Now(), players); err != nil {
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
	fmt.Println()
	if err := printStanding(os.Stdout, standing); err != nil {
		return err
	}
	events, err := board.History(ctx, best[0].User, scores)
	if err != nil {
		return err
	}
	fmt.Printf("\nLatest %d of %s\n", scores, best[0].User)
	return printHistory(os.Stdout, events)
}
