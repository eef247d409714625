package ops

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"sluice/consumers/badges/internal/awards"
	"sluice/consumers/badges/rule"
	"sluice/shared/change"
	"sluice/shared/operate"
)

// What can be wrong beside an award that is [operate.Missing], or [operate.Extra]: the plays earn it no more, and its rule revokes.
const (
	Miscounted = "miscounted"      // a sum or count of the state isn't that of the plays
	Revoked    = "wrongly revoked" // the plays earn the award, and it was taken back
	Untold     = "untold"          // the award is stored, and its notice has yet to be sent
)

// Comparison compares what players have with what their plays earn, and repairs it by the
// consumer's own rules and conditions. It may do so while the consumer runs.
//
// It reads the tables whole: it makes players' states of the plays, in memory,
// a few numbers for each player, and compares them with the table of states and the
// badges that players have. It compares rules of kind item with their tables. It may miss that a state is miscounted,
// by less than what is being played meanwhile.
type Comparison struct {
	// Players is how many the first look found, and Kept the badges that stand though nothing earns them any more, by rules that
	// take nothing back: plays were corrected, an item is gone, or the rule is.
	Players int
	Kept    []string

	auditor *Auditor
	notify  bool
	whole   operate.Look // at all players
}

var _ operate.Repairer = (*Comparison)(nil)

// Comparison returns a comparison of all badges. Its repair notifies players of the awards that it gives if notify is true.
func (a *Auditor) Comparison(notify bool) *Comparison { return &Comparison{auditor: a, notify: notify} }

// Title implements operate.Comparison.
func (c *Comparison) Title() operate.Title {
	tables := c.auditor.Book.PlayTables()
	source := map[bool]string{false: "table ", true: "tables "}[len(tables) > 1] + strings.Join(tables, ", ")
	return operate.Title{Name: "badges", Source: source, Destination: "table " + c.auditor.giver.Store.Achievements}
}

// finding is a Difference's Ref: what isn't as the plays say.
type finding struct {
	player string
	award  string    // its key; empty for a state
	at     *snapshot // that it was found in

	// Of a state: the view that keeps it, the rules that look at it, and the numbers.
	view           string
	rules          []string
	played, stored decimal.Decimal
}

// Look implements operate.Comparison. With suspects it reads all tables again, and compares the suspects' players.
func (c *Comparison) Look(ctx context.Context, suspects []operate.Difference) (operate.Look, error) {
	var only map[string]bool
	if len(suspects) > 0 {
		only = map[string]bool{}
	}
	before := map[string]operate.Difference{}
	for _, d := range suspects {
		before[d.Key], only[d.Ref.(*finding).player] = d, true
	}
	s, err := c.auditor.snapshot(ctx, only)
	if err != nil {
		return operate.Look{}, err
	}
	r := s.compare()
	if only == nil {
		c.whole, c.Players, c.Kept = s.summary(r), r.players, r.kept
	}
	now := c.whole
	now.Differences = nil
	for _, d := range r.differences {
		found := d.Ref.(*finding)
		if only == nil {
			now.Differences = append(now.Differences, d)
		} else if first, was := before[d.Key]; was && first.What == d.What && found.confirms(first.Ref.(*finding), d.What) {
			d.Moving = s.movedSince(first.Ref.(*finding).at, found.player)
			now.Differences = append(now.Differences, d)
		}
	}
	return now, nil
}

// confirms reports whether a look has found what one before it had. Somebody may be
// playing: the state, which is read before the plays, has all that was stored at the
// first look, and maybe some of what came since. As far as sums only grow, it is
// between the two then.
func (f *finding) confirms(first *finding, what string) bool {
	return what != Miscounted || f.stored.LessThan(decimal.Min(f.played, first.played)) || f.stored.GreaterThan(decimal.Max(f.played, first.played))
}

// result is how a snapshot's players compare.
type result struct {
	players     int
	badges      int // that stand
	differences []operate.Difference
	kept        []string
	unknown     int // numbers of states that plays which have expired may account for
}

// add notes a difference of a player. What names it among the player's.
func (r *result) add(what, about string, f *finding) *operate.Difference {
	name := f.player
	if strings.Contains(name, ": ") {
		name = strconv.Quote(name)
	}
	r.differences = append(r.differences, operate.Difference{Key: name + ": " + about, What: what, Ref: f})
	return &r.differences[len(r.differences)-1]
}

// compare compares each player of a snapshot.
func (s *snapshot) compare() result {
	var r result
	players := map[string]bool{}
	for _, names := range []iter.Seq[string]{maps.Keys(s.played), maps.Keys(s.states), maps.Keys(s.items), maps.Keys(s.achievements)} {
		for name := range names {
			players[name] = true
		}
	}
	r.players = len(players)
	for _, name := range slices.Sorted(maps.Keys(players)) {
		s.compareState(name, &r)
		s.compareAwards(name, &r)
	}
	return r
}

// compareState compares a player's state with that of the plays.
func (s *snapshot) compareState(name string, r *result) {
	book := s.auditor.Book
	items := maps.Clone(s.played[name])
	if items == nil {
		items = rule.State{}
	}
	maps.Copy(items, s.states[name])
	for _, of := range slices.Sorted(maps.Keys(items)) {
		for _, tally := range book.Tallies(of) {
			played, stored := s.played[name][of][tally], s.states[name][of][tally]
			if played.Equal(stored) {
				continue
			}
			if s.unknowable(of, tally, played, stored) {
				r.unknown++
				continue
			}
			f := &finding{player: name, at: s, view: book.ViewOf(of).Name, played: played, stored: stored}
			for _, one := range book.OfItem(of) {
				if one.Tally() == tally {
					f.rules = append(f.rules, one.Name)
				}
			}
			rules := strings.Join(f.rules, ", ")
			d := r.add(Miscounted, of+" of "+rules, f)
			d.Values = []operate.Value{{Path: rules, Source: played.String(), Destination: stored.String()}}
			if d.Command = "sluice rebuild " + f.view; !change.IsNumber(played.String()) {
				d.Refused = "the plays come to more than DynamoDB holds (38 digits, up to 9.9E+125), so no rebuild helps: correct the plays"
			}
		}
	}
}

// compareAwards compares what a player has with what the plays earn.
func (s *snapshot) compareAwards(name string, r *result) {
	earned := s.earned(name)
	stored := map[string]*awards.Achievement{}
	for _, a := range s.achievements[name] {
		key := a.Award.Key()
		stored[key] = a
		if a.Pending != "" {
			r.add(Untold, key+", its notice", &finding{player: name, award: key, at: s})
		}
	}
	for _, key := range slices.Sorted(maps.Keys(earned)) {
		switch a := stored[key]; {
		case a == nil:
			r.add(operate.Missing, key, &finding{player: name, award: key, at: s})
		case a.RevokedAt != "":
			r.add(Revoked, key, &finding{player: name, award: key, at: s})
		}
	}
	for _, key := range slices.Sorted(maps.Keys(stored)) {
		if stored[key].RevokedAt != "" {
			continue
		}
		r.badges++
		if _, is := earned[key]; is {
			continue
		}
		if one := s.auditor.Book.Rule(stored[key].Award.Badge); one != nil && one.Revoke {
			r.add(operate.Extra, key, &finding{player: name, award: key, at: s})
			continue
		}
		r.kept = append(r.kept, key+" of "+name)
	}
}

// summary is what a look at all players says beside the differences.
func (s *snapshot) summary(r result) operate.Look {
	l := s.found
	l.Held = r.badges
	states := "no state is miscounted"
	if len(s.expires) > 0 {
		states = "no state counts less than the plays that are left"
		l.Notes = append(l.Notes, fmt.Sprintf("Plays expire and stay counted. So badges are judged by the players' states. %s of the states can't be checked: plays that have expired may be in them.",
			operate.Count(r.unknown, "number")))
	}
	if n := len(r.kept); n > 0 {
		l.Notes = append(l.Notes, fmt.Sprintf("%s that nothing earns any more: plays were corrected or items removed later, and the rules revoke nothing. The first: %s.",
			operate.Count(n, "badge"), r.kept[0]))
	}
	l.Equal = fmt.Sprintf("%s of %s: each that %s earn, each told, and %s.",
		operate.Count(r.badges, "badge"), operate.Count(r.players, "player"), operate.Count(l.Items, "play"), states)
	return l
}
