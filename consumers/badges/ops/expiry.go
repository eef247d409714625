package ops

import (
	"context"
	"fmt"
	"maps"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/shopspring/decimal"

	"sluice/consumers/badges/rule"
	"sluice/shared/view"
)

// Expires reports whether plays expire that stay counted. Then the table of plays doesn't hold
// all that the states count, and only the states say what players have earned.
func (a *Auditor) Expires(ctx context.Context) (bool, error) {
	if a.Book.Plays.SubtractExpired || len(a.Book.Views) == 0 {
		return false, nil
	}
	out, err := a.client.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &a.Book.Plays.Table})
	if err != nil {
		return false, fmt.Errorf("see whether plays of %s expire (it takes the right to dynamodb:DescribeTimeToLive): %w", a.Book.Plays.Table, err)
	}
	return out.TimeToLiveDescription != nil && out.TimeToLiveDescription.TimeToLiveStatus != types.TimeToLiveStatusDisabled, nil
}

// Rebuildable returns the view of that name, for a rebuild. The error says why none can be
// made: a rebuild knows nothing but the plays in the table, and would forget what has expired.
func (a *Auditor) Rebuildable(ctx context.Context, name string) (*view.View, error) {
	expires, err := a.Expires(ctx)
	if err != nil {
		return nil, err
	}
	if expires {
		return nil, fmt.Errorf("view %s can't be made anew: plays of %s expire and stay counted, so a rebuild would forget those that have expired", name, a.Book.Plays.Table)
	}
	if v := view.Named(a.Book.OfTable, name); v != nil {
		return v, nil
	}
	return nil, fmt.Errorf("there is no view %q of badges", name)
}

// stateOf returns the player's state by which awards are judged: that of the plays in the
// table. If plays expire, it is the state as it is stored, with at least the counts of the
// plays in the table.
func (s *snapshot) stateOf(name string) rule.State {
	if !s.expires {
		return s.played[name]
	}
	state := rule.State{}
	for of, tallies := range s.states[name] {
		state[of] = maps.Clone(tallies)
	}
	for of, tallies := range s.played[name] {
		if state[of] == nil {
			state[of] = map[string]decimal.Decimal{}
		}
		for tally, n := range tallies {
			if _, stored := state[of][tally]; !stored || !s.auditor.Book.Sums(tally) && n.GreaterThan(state[of][tally]) {
				state[of][tally] = n
			}
		}
	}
	return state
}

// unknowable reports whether nobody can tell if a number of a state is right: plays that have
// expired may make the difference. Of a count, it can only be more than the plays in the table.
func (s *snapshot) unknowable(tally string, played, stored decimal.Decimal) bool {
	return s.expires && (s.auditor.Book.Sums(tally) || stored.GreaterThan(played))
}
