package rule

import (
	"slices"
	"time"

	"sluice/shared/change"
)

// Play is a change with the time of its play.
type Play struct {
	*change.Change
	At time.Time
}

// EarnedAt is the time of an award that the play earns: the play's, or the change's if the play is dated later.
func (p Play) EarnedAt() string {
	at := p.At
	if p.Time().Before(at) {
		at = p.Time()
	}
	return at.UTC().Format(time.RFC3339Nano)
}

// InOrder returns the plays among changes in the order of their times.
func (b *Book) InOrder(changes []*change.Change) []Play {
	var plays []Play
	for _, c := range changes {
		if at, err := b.PlayedAt(c); err == nil {
			plays = append(plays, Play{c, at})
		}
	}
	slices.SortStableFunc(plays, func(p, q Play) int { return p.At.Compare(q.At) })
	return plays
}

// PlayedAt returns when a play was, in its own zone.
func (b *Book) PlayedAt(c *change.Change) (time.Time, error) {
	if len(b.Views) == 0 {
		return c.Time(), nil
	}
	return b.Views[0].TimeOf(c)
}
