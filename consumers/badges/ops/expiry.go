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

// expiring returns the blocks of plays that expire and stay counted. Their table doesn't hold
// all that the states count, and only the states say what players have earned by them.
func (a *Auditor) expiring(ctx context.Context) (map[*rule.Plays]bool, error) {
	blocks := map[*rule.Plays]bool{}
	for _, p := range a.Book.Plays {
		if expire, err := a.expire(ctx, p); err != nil {
			return nil, err
		} else if expire {
			blocks[p] = true
		}
	}
	return blocks, nil
}

// expire reports whether plays of a block expire and stay counted.
func (a *Auditor) expire(ctx context.Context, p *rule.Plays) (bool, error) {
	if p.SubtractExpired || !p.Counted() {
		return false, nil
	}
	out, err := a.client.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &p.Table})
	if err != nil {
		return false, fmt.Errorf("see whether plays of %s expire (it takes the right to dynamodb:DescribeTimeToLive): %w", p.Table, err)
	}
	return out.TimeToLiveDescription != nil && out.TimeToLiveDescription.TimeToLiveStatus != types.TimeToLiveStatusDisabled, nil
}

// Rebuildable returns the view of that name, for a rebuild. The error says why none can be
// made: a rebuild knows nothing but the plays in the table, and would forget what has expired.
func (a *Auditor) Rebuildable(ctx context.Context, name string) (*view.View, error) {
	v := view.Named(a.Book.OfTable, name)
	if v == nil {
		return nil, fmt.Errorf("there is no view %q of badges", name)
	}
	expire, err := a.expire(ctx, a.Book.PlaysOfView(v))
	if err != nil {
		return nil, err
	}
	if expire {
		return nil, fmt.Errorf("view %s can't be made anew: plays of %s expire and stay counted, so a rebuild would forget those that have expired", name, v.Source)
	}
	return v, nil
}

// stateOf returns the player's state by which awards are judged: that of the plays in the
// table. Of plays that expire, it is the state as it is stored, with at least the counts of the
// plays in the table.
func (s *snapshot) stateOf(name string) rule.State {
	if len(s.expires) == 0 {
		return s.played[name]
	}
	state := rule.State{}
	for of, tallies := range s.states[name] {
		if s.expires[s.auditor.Book.PlaysOf(of)] {
			state[of] = maps.Clone(tallies)
		}
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
func (s *snapshot) unknowable(of, tally string, played, stored decimal.Decimal) bool {
	return s.expires[s.auditor.Book.PlaysOf(of)] && (s.auditor.Book.Sums(tally) || stored.GreaterThan(played))
}
