package ops

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/shopspring/decimal"
	"golang.org/x/sync/errgroup"

	"sluice/consumers/badges/internal/awards"
	"sluice/consumers/badges/rule"
	"sluice/shared/change"
	"sluice/shared/declaration"
	"sluice/shared/operate"
)

// snapshot is what one reading of all tables found.
type snapshot struct {
	auditor *Auditor
	only    map[string]bool      // players; nil: all
	expires map[*rule.Plays]bool // blocks of plays that expire, and stay counted

	states       rule.States // as they are stored
	achievements map[string][]*awards.Achievement

	mu     sync.Mutex  // guards what follows
	played rule.States // made of the plays
	items  map[string][]itemEarned
	found  operate.Look // how many plays, and what can't be used
}

// itemEarned is what an item earns by a rule of kind item.
type itemEarned struct {
	rule  *rule.Rule
	award rule.Award
	item  *change.Change
}

// snapshot reads all tables, strongly consistent. Plays come last: what players have comes from plays that were there before.
func (a *Auditor) snapshot(ctx context.Context, only map[string]bool) (*snapshot, error) {
	s := &snapshot{
		auditor: a, only: only, played: rule.States{}, states: rule.States{}, items: map[string][]itemEarned{}, achievements: map[string][]*awards.Achievement{},
	}
	var err error
	if s.expires, err = a.expiring(ctx); err != nil {
		return nil, err
	}
	if err := sideBySide(ctx, s.readStates, s.readAchievements); err != nil {
		return nil, err
	}
	return s, sideBySide(ctx, s.readPlays, s.readItems)
}

// sideBySide makes several readings at once.
func sideBySide(ctx context.Context, reads ...func(context.Context) error) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, read := range reads {
		group.Go(func() error { return read(ctx) })
	}
	return group.Wait()
}

func (s *snapshot) readStates(ctx context.Context) error {
	return s.auditor.scan(ctx, s.auditor.giver.Store.States, func(item operate.Item) {
		name := change.TextOf(item[rule.AttrPlayer])
		if !s.covers(name) {
			return
		}
		if s.states[name] == nil {
			s.states[name] = rule.State{}
		}
		s.states[name][change.TextOf(item[rule.AttrOf])] = awards.Tallies(item)
	})
}

func (s *snapshot) readAchievements(ctx context.Context) error {
	return s.auditor.scan(ctx, s.auditor.giver.Store.Achievements, func(item operate.Item) {
		if a := awards.ReadAchievement(item); s.covers(a.Player) {
			s.achievements[a.Player] = append(s.achievements[a.Player], a)
		}
	})
}

func (s *snapshot) covers(player string) bool { return s.only == nil || s.only[player] }

// readPlays makes the states of the plays, table by table.
func (s *snapshot) readPlays(ctx context.Context) error {
	for _, table := range s.auditor.Book.PlayTables() {
		if err := s.readPlaysIn(ctx, table); err != nil {
			return err
		}
	}
	return nil
}

func (s *snapshot) readPlaysIn(ctx context.Context, table string) error {
	book := s.auditor.Book
	counted := slices.DeleteFunc(slices.Clone(book.Plays), func(p *rule.Plays) bool { return p.Table != table || !p.Counted() })
	if len(counted) == 0 {
		return nil // no rule looks at these plays
	}
	return s.auditor.eachChange(ctx, table, func(c *change.Change, key string) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		covered := slices.ContainsFunc(counted, func(p *rule.Plays) bool {
			name, err := rule.Text(c, declaration.Whole(p.Player))
			return err == nil && s.only[name]
		})
		if s.only != nil && !covered {
			return nil
		}
		s.found.Items++
		if err := book.Fold(c, s.played); err != nil {
			s.found.AddUnusable(c.Table, key, err)
		}
		return nil
	})
}

// readItems finds what the items of the rules of kind item earn.
func (s *snapshot) readItems(ctx context.Context) error {
	return s.auditor.eachItem(ctx, func(player string, e itemEarned) {
		s.mu.Lock() // plays are read at the same time
		defer s.mu.Unlock()
		if s.covers(player) {
			if s.only == nil {
				e.item = nil // nothing is repaired after a whole snapshot, and there may be many
			}
			s.items[player] = append(s.items[player], e)
		}
	}, func(table, key string, why error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.found.AddUnusable(table, key, why)
	})
}

// eachItem yields what items earn, and those that earn nothing for want of what their rule needs. Both functions are called from
// several goroutines.
func (a *Auditor) eachItem(ctx context.Context, yield func(player string, e itemEarned), unusable func(table, key string, why error)) error {
	byTable := map[string][]*rule.Rule{}
	for _, r := range a.Book.Rules {
		if r.Kind == rule.Item {
			byTable[r.Source.Table] = append(byTable[r.Source.Table], r)
		}
	}
	for _, table := range slices.Sorted(maps.Keys(byTable)) {
		err := a.eachChange(ctx, table, func(c *change.Change, key string) error {
			for _, r := range byTable[table] {
				player, award, err := r.OfItemChange(c)
				if err != nil {
					unusable(table, key, err)
				} else if player != "" {
					yield(player, itemEarned{r, award, c})
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// earned returns all that a player's plays and items earn, by key, also together with
// what the player has.
func (s *snapshot) earned(name string) map[string]rule.Award {
	var have []rule.Award
	for _, e := range s.items[name] {
		have = append(have, e.award)
	}
	items := len(have)
	for _, a := range awards.Held(s.achievements[name]) {
		if r := s.auditor.Book.Rule(a.Badge); r != nil && r.Kind != rule.All { // those of All have to be earned by the others
			have = append(have, a)
		}
	}
	earned := map[string]rule.Award{}
	for _, a := range slices.Concat(s.auditor.Book.AllEarned(s.stateOf(name), s.auditor.giver.Today(), have), have[:items]) {
		earned[a.Key()] = a
	}
	// An award that is stored as it was earlier is that of the item: nobody can tell of which
	// of several that had one key then.
	for _, a := range s.achievements[name] {
		for _, e := range s.items[name] {
			if key := a.Award.Key(); e.award.Formerly == key {
				delete(earned, e.award.Key())
				earned[key] = a.Award
			}
		}
	}
	return earned
}

// stateEarns reports whether the player's state, as it is stored, earns an award of plays. If it
// doesn't, the plays are in flight, or the state is miscounted: the consumer awards the badge and
// tells the player when they arrive, which it wouldn't if a repair had stored it.
func (s *snapshot) stateEarns(player, key string) bool {
	earned := s.auditor.Book.AllEarned(s.states[player], s.auditor.giver.Today(), awards.Held(s.achievements[player]))
	return slices.ContainsFunc(earned, func(a rule.Award) bool { return a.Key() == key })
}

// itemOf returns the change that makes the item which earned an award; nil if the award is none of an item.
func (s *snapshot) itemOf(player, key string) *change.Change {
	for _, e := range s.items[player] {
		if e.award.Key() == key {
			return e.item
		}
	}
	return nil
}

// movedSince reports whether a player's state or awards changed since an earlier snapshot: then the
// consumer is at work on the player's changes.
func (s *snapshot) movedSince(before *snapshot, player string) bool {
	same := maps.EqualFunc(s.states[player], before.states[player], func(a, b map[string]decimal.Decimal) bool {
		return maps.EqualFunc(a, b, decimal.Decimal.Equal)
	})
	return !same || !maps.Equal(byKey(s.achievements[player]), byKey(before.achievements[player]))
}

func byKey(achievements []*awards.Achievement) map[string]awards.Achievement {
	all := map[string]awards.Achievement{}
	for _, a := range achievements {
		all[a.Award.Key()] = *a
	}
	return all
}
