package leaderboard

import (
	"context"
	"maps"
	"slices"

	"github.com/shopspring/decimal"
	"golang.org/x/sync/errgroup"
)

// Verification compares the score table with the board, player by player.
type Verification struct {
	Players     int          `json:"players"` // in either table
	Differences []Difference `json:"differences"`
}

// Difference is a player whose total isn't the sum of the scores written.
type Difference struct {
	User    string          `json:"user"`
	Written decimal.Decimal `json:"written"`
	Board   decimal.Decimal `json:"board"`
}

// Verify reads both tables whole and compares each player's scores with the
// total; a player who is in one table only counts as 0 in the other. While
// changes are on their way the tables differ, so wait for the stream to drain
// first. Scores that expired without being subtracted (CountTTLDeletes false)
// are in the total only and show as differences.
func (b Board) Verify(ctx context.Context) (Verification, error) {
	var written, totals map[string]decimal.Decimal
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) { written, err = b.Written(ctx); return err })
	group.Go(func() (err error) { totals, err = b.Totals(ctx); return err })
	if err := group.Wait(); err != nil {
		return Verification{}, err
	}
	players := maps.Clone(written)
	maps.Copy(players, totals)
	v := Verification{Players: len(players), Differences: []Difference{}}
	for _, user := range slices.Sorted(maps.Keys(players)) {
		if !written[user].Equal(totals[user]) {
			v.Differences = append(v.Differences, Difference{User: user, Written: written[user], Board: totals[user]})
		}
	}
	return v, nil
}
