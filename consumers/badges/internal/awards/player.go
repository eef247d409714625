package awards

import (
	"context"
	"slices"
	"time"

	"sluice/consumers/badges/rule"
	"sluice/shared/change"
	"sluice/shared/consumer"
)

// Player is one to whom awards are given. It is not safe for concurrent use.
type Player struct {
	Name string
	// Causes are the indexes of the changes that earn an award, by its key.
	Causes map[string][]int
	// Plays are those of the batch that concern the player. The newest dates an award whose own play isn't known.
	Plays []rule.Play
	// Whole keeps all awards that Load reads, however many.
	Whole bool

	// Achievements are the awards that the player is known to have.
	Achievements []*Achievement
	// Faults are why an award couldn't be stored or told, by its key.
	Faults map[string]error
	// Failures are what failed for the player.
	Failures []Failure
	// Reached are the destinations that accepted a call.
	Reached map[string]bool

	giver   *Giver
	known   map[string]bool // keys of Achievements
	wrote   bool            // whether anything was stored since Load
	pending []*Achievement  // those that have yet to be told
	waiting map[string]bool // keys of pending
}

// Failure is an error of what was done for changes of a player.
type Failure struct {
	Changes []int // their indexes; nil: all changes of the player
	Err     error
}

// Player returns a player of whom nothing is known yet. It makes no call.
func (g *Giver) Player(name string) *Player {
	return &Player{
		Name: name, giver: g, Causes: map[string][]int{}, Faults: map[string]error{}, Reached: map[string]bool{},
		known: map[string]bool{}, waiting: map[string]bool{},
	}
}

// At names the destination of a call, and notes that the destination works if the call succeeded.
func (p *Player) At(destination string, err error) error {
	if err == nil {
		p.Reached[destination] = true
		return nil
	}
	return consumer.At(destination, err)
}

// Fail notes an error of what was done for changes; nil stands for all of the player's changes.
func (p *Player) Fail(changes []int, err error) {
	p.Failures = append(p.Failures, Failure{changes, consumer.In("badges of "+p.Name, err)})
}

// maxOthersPending bounds how many notices of values, whose changes this batch hasn't, a
// player is told in one batch.
const maxOthersPending = 100

// Load reads what the player has. What has yet to be told is told again: the function that
// stored it may be gone.
//
// A player may have a million awards for values of an attribute, such as made-up games. Of
// these, unless Whole, it keeps only what is needed: the awards that the batch's changes earn, one for the
// rules of kind All, and some that have yet to be told. The others' own changes come again.
func (p *Player) Load(ctx context.Context) error {
	p.Achievements, p.known = nil, map[string]bool{}
	one, others := map[string]bool{}, 0
	err := p.giver.Store.Each(ctx, p.Name, func(a *Achievement) {
		r, badge := p.giver.Book.Rule(a.Award.Badge), a.Award.Badge
		many := !p.Whole && (r == nil || r.Valued() && !r.Revoke) && p.Causes[a.Award.Key()] == nil
		switch {
		case !many:
		case a.Pending != "" && others < maxOthersPending:
			others++
		case one[badge] || a.RevokedAt != "":
			return
		}
		one[badge] = one[badge] || a.RevokedAt == ""
		p.note(a)
	})
	return p.At(p.giver.Store.Reads(), err)
}

// Has reports whether the player is known to have an award, which may be revoked.
func (p *Player) Has(award rule.Award) bool { return p.known[award.Key()] }

// note notes an award that is stored, and that it has yet to be told.
func (p *Player) note(a *Achievement) {
	key := a.Award.Key()
	p.Achievements = append(p.Achievements, a)
	p.known[key] = true
	if p.giver.Stored != nil {
		p.giver.Stored(a)
	}
	p.tellLater(a)
}

// tellLater notes what has yet to be told, once.
func (p *Player) tellLater(a *Achievement) {
	if key := a.Award.Key(); a.Pending != "" && !p.waiting[key] {
		p.pending = append(p.pending, a)
		p.waiting[key] = true
	}
}

// Give stores an award, and reports whether it is new. The item is the one that earned it, for rules of kind item; nil for all others.
func (p *Player) Give(ctx context.Context, r *rule.Rule, a rule.Award, at string, item *change.Change) (isNew bool, err error) {
	achievement, err := p.giver.achievement(r, p.Name, a, at, item)
	if err != nil {
		return false, consumer.Reject(err)
	}
	achievement, isNew, err = p.giver.Store.Put(ctx, achievement)
	if err = p.At(p.giver.Store.Puts(), err); err != nil {
		return false, err
	}
	if isNew {
		p.giver.Counts.Add("Awarded", 1)
	}
	p.note(achievement)
	p.wrote = true
	return isNew, nil
}

// GiveOrFail is Give for an award that the changes earn, nil for all of the player's: if it is
// refused for good, they are dead letters, and the player's other awards are stored all the same.
func (p *Player) GiveOrFail(ctx context.Context, r *rule.Rule, a rule.Award, at string, changes []int) (refused bool, err error) {
	_, err = p.Give(ctx, r, a, at, nil)
	if consumer.OutcomeOf(err) == consumer.Rejected {
		p.Faults[a.Key()] = err
		p.Fail(changes, consumer.In("badge "+r.Name, err))
		return true, nil
	}
	return false, err
}

// FindFormer reports whether the item's award is stored under the key that it had earlier. That
// key may be another item's too: it is this one's if the change is the one that earned it.
func (p *Player) FindFormer(ctx context.Context, a rule.Award, c *change.Change) (bool, error) {
	if a.Formerly == "" {
		return false, nil
	}
	stored, err := p.giver.Store.Get(ctx, p.Name, a.Formerly)
	if err = p.At(p.giver.Store.Reads(), err); err != nil || stored == nil || stored.EarnedAt != c.Time().Format(time.RFC3339Nano) {
		return false, err
	}
	p.Causes[a.Formerly] = append(p.Causes[a.Formerly], p.Causes[a.Key()]...)
	p.note(stored)
	return true, nil
}

// Combine stores the awards that others earn together. After something was stored all is
// read again: of two instances that each store a part, the later one sees both.
func (p *Player) Combine(ctx context.Context) (err error) {
	if len(p.Achievements) == 0 || !p.giver.Book.Combines() {
		return nil
	}
	refused := map[string]bool{} // by key
	for {
		if p.wrote {
			if err := p.Load(ctx); err != nil {
				return err
			}
			p.wrote = false
		}
		missing := slices.DeleteFunc(p.giver.Book.Combine(Held(p.Achievements)), func(a rule.Award) bool { return refused[a.Key()] })
		for _, a := range missing {
			if refused[a.Key()], err = p.GiveOrFail(ctx, p.giver.Book.Rule(a.Badge), a, p.Latest(p.giver.Book.Rule(a.Badge)), nil); err != nil {
				return err
			}
		}
		if len(missing) == 0 {
			return nil
		}
	}
}

// Held returns the awards that weren't taken back.
func Held(all []*Achievement) []rule.Award {
	var awards []rule.Award
	for _, a := range all {
		if a.RevokedAt == "" {
			awards = append(awards, a.Award)
		}
	}
	return awards
}

// Latest is the time of the newest of Plays that a rule counts, or of all for a rule that counts none; without any, the present.
func (p *Player) Latest(r *rule.Rule) string {
	var latest *rule.Play
	for i := range p.Plays {
		play := &p.Plays[i]
		if (r.Plays == nil || play.Of == r.Plays) && (latest == nil || !play.At.Before(latest.At)) {
			latest = play
		}
	}
	if latest == nil {
		return p.giver.Now().UTC().Format(time.RFC3339Nano)
	}
	return latest.EarnedAt()
}
