package ops

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	smithytime "github.com/aws/smithy-go/time"
	"github.com/shopspring/decimal"

	"sluice/consumers/badges"
	"sluice/consumers/badges/internal/awards"
	"sluice/consumers/badges/rule"
	"sluice/shared/change"
)

// Auditor compares what players have with what their plays earn, and sets it right by
// the consumer's own rules and conditions. It may do so while the consumer runs.
type Auditor struct {
	Book *rule.Book
	// Sleep waits; NewAuditor sets a timer's.
	Sleep func(context.Context, time.Duration) error

	client       *dynamodb.Client
	giver, quiet *awards.Giver // quiet notifies nobody
}

// NewAuditor returns an Auditor of the rules; it makes no call.
func NewAuditor(client *dynamodb.Client, topic *sns.Client, s badges.Settings, book *rule.Book) *Auditor {
	giver := badges.NewGiver(client, topic, s, book)
	quiet := *giver
	quiet.Quiet = true
	return &Auditor{Book: book, Sleep: smithytime.SleepWithContext, client: client, giver: giver, quiet: &quiet}
}

// What can be wrong.
const (
	Miscounted = "miscounted"      // a sum or count of the state isn't that of the plays
	Missing    = "missing"         // the plays earn it, and the player hasn't it
	NotRevoked = "not revoked"     // the plays earn it no more, and its rule takes it back
	Revoked    = "wrongly revoked" // the plays earn it, and it was taken back
	Untold     = "untold"          // it is stored, and its notice has yet to be sent
)

// Verification is what a comparison found.
type Verification struct {
	Players     int          `json:"players"`
	Plays       int          `json:"plays"`
	Unusable    int          `json:"unusable"` // of the plays, and of the items that earn badges; their changes are dead letters
	Badges      int          `json:"badges"`   // that stand
	Differences []Difference `json:"differences"`
	// Kept are badges that stand though the plays earn them no more, by rules that take
	// nothing back: the plays were corrected, the item is gone, or the rule is.
	Kept []Kept `json:"kept"`
	// Expires: plays expire and stay counted. Then what players have earned is judged by their
	// states, and Unknown counts the numbers of the states that plays which have expired may
	// account for.
	Expires bool `json:"expires,omitempty"`
	// Moving are players who differed at every look, and whose states changed between the last
	// two: their changes are in flight, and nobody can tell yet whether anything is wrong.
	Moving  []string `json:"moving,omitempty"`
	Unknown int      `json:"unknown,omitempty"`

	second *look // that saw the differences
}

// Difference is what isn't as the plays say.
type Difference struct {
	Player string `json:"player"`
	What   string `json:"what"`
	Award  string `json:"award,omitempty"` // its key

	// Of something miscounted: the item of the state and the view that keeps it, which
	// rules look at it, what the plays come to, and what the state has.
	Of      string           `json:"of,omitempty"`
	View    string           `json:"view,omitempty"`
	Rules   []string         `json:"rules,omitempty"`
	Written *decimal.Decimal `json:"written,omitempty"`
	Shown   *decimal.Decimal `json:"shown,omitempty"`

	// Repair is what became of its repair; empty if none was wanted.
	Repair string `json:"repair,omitempty"`
	// Refused: the repair can never be made, since DynamoDB or SNS refuses it for good.
	Refused bool `json:"refused,omitempty"`

	tally string
}

// Kept is a badge that nothing earns any more.
type Kept struct {
	Player string `json:"player"`
	Award  string `json:"award"`
}

// confirms tells whether a second look has found what a first one had. Somebody may be
// playing: the state, which is read before the plays, has all that stood there at the
// first look, and maybe some of what came since. As far as sums only grow, it is
// between the two then.
func (d Difference) confirms(first Difference) bool {
	if d.Player != first.Player || d.What != first.What || d.Award != first.Award || d.Of != first.Of || d.tally != first.tally {
		return false
	}
	return d.What != Miscounted || d.Shown.LessThan(decimal.Min(*d.Written, *first.Written)) || d.Shown.GreaterThan(decimal.Max(*d.Written, *first.Written))
}

func (d Difference) compare(o Difference) int {
	return cmp.Or(cmp.Compare(d.Player, o.Player), cmp.Compare(d.What, o.What), cmp.Compare(d.Award, o.Award), cmp.Compare(d.Of, o.Of), cmp.Compare(d.tally, o.tally))
}

// VerifyOptions say how to compare.
type VerifyOptions struct {
	// Segments is how many parts of each table are read side by side.
	Segments int
	// Patience is how long after the first look what differed is looked at again.
	// Changes on their way must have arrived by then.
	Patience time.Duration
	// Waiting, if set, is called before each wait for Patience, with how many badges and sums differ.
	Waiting func(differ int, wait time.Duration)
}

// RepairOptions say how to repair.
type RepairOptions struct {
	// Notify tells players of what the repair awards them.
	Notify bool
	// Revoke takes back awards that the plays earn no more, if their rules say so.
	Revoke bool
}

// Repair awards what is missing, restores what the rules say, takes it back if o.Revoke, and sends what
// is pending. What was miscounted it leaves: a rebuild of the view, see package rebuild, makes that
// right. It notes with each difference of v, which Verify returned, what became of it.
func (a *Auditor) Repair(ctx context.Context, v *Verification, o RepairOptions) error {
	if v.second == nil {
		return nil // nothing differs
	}
	return a.repair(ctx, o, v.second, v.Differences)
}

// Verify reads the tables whole: it makes players' states anew from the plays, in memory,
// a few numbers for each player, and compares with them the table of states and the
// badges that players have. Rules of kind item it compares with their tables. Of what it
// reports it has seen the same twice. It may miss that a state is miscounted, by less
// than what is being played meanwhile.
func (a *Auditor) Verify(ctx context.Context, o VerifyOptions) (Verification, error) {
	first, err := a.look(ctx, o.Segments, nil)
	if err != nil {
		return Verification{}, err
	}
	v := first.verification()
	suspects := v.Differences
	v.Differences = []Difference{}
	if len(suspects) == 0 {
		return v, nil
	}
	second, found, err := a.lookAgain(ctx, o, first, suspects)
	if err != nil {
		return v, err
	}
	for _, d := range found {
		if second.moved[d.Player] {
			v.Moving = append(v.Moving, d.Player)
		} else {
			v.Differences = append(v.Differences, d)
		}
	}
	v.Moving = slices.Compact(v.Moving) // they are sorted by player
	v.second = second
	return v, nil
}

// verification tells what differs at one look.
func (l *look) verification() Verification {
	v := Verification{Plays: l.plays, Unusable: l.unusable, Expires: l.expires, Differences: []Difference{}, Kept: []Kept{}}
	players := map[string]bool{}
	for name := range l.written {
		players[name] = true
	}
	for name := range l.shown {
		players[name] = true
	}
	for name := range l.items {
		players[name] = true
	}
	for name := range l.stored {
		players[name] = true
	}
	v.Players = len(players)
	for _, name := range slices.Sorted(maps.Keys(players)) {
		v.Differences = append(v.Differences, l.miscounted(name)...)
		l.awards(name, &v)
	}
	v.Unknown = l.unknown
	slices.SortFunc(v.Differences, Difference.compare)
	return v
}

// miscounted compares a player's state.
func (l *look) miscounted(name string) []Difference {
	written, shown := l.written[name], l.shown[name]
	items := maps.Clone(written)
	if items == nil {
		items = rule.State{}
	}
	maps.Copy(items, shown)
	var differences []Difference
	for of := range items {
		for _, tally := range l.auditor.Book.Tallies(of) {
			want, got := written[of][tally], shown[of][tally]
			if want.Equal(got) {
				continue
			}
			if l.unknowable(tally, want, got) {
				l.unknown++
				continue
			}
			d := Difference{Player: name, What: Miscounted, Of: of, View: l.auditor.Book.ViewOf(of).Name, Written: &want, Shown: &got, tally: tally}
			for _, r := range l.auditor.Book.OfItem(of) {
				if r.Tally() == tally {
					d.Rules = append(d.Rules, r.Name)
				}
			}
			differences = append(differences, d)
		}
	}
	return differences
}

// awards compares what a player has with what the plays earn.
func (l *look) awards(name string, v *Verification) {
	earned := l.earned(name)
	stored := map[string]*awards.Achievement{}
	for _, s := range l.stored[name] {
		stored[s.Award.Key()] = s
		if s.Pending != "" {
			v.Differences = append(v.Differences, Difference{Player: name, What: Untold, Award: s.Award.Key()})
		}
	}
	for key := range earned {
		switch s := stored[key]; {
		case s == nil:
			v.Differences = append(v.Differences, Difference{Player: name, What: Missing, Award: key})
		case s.RevokedAt != "":
			v.Differences = append(v.Differences, Difference{Player: name, What: Revoked, Award: key})
		}
	}
	for _, key := range slices.Sorted(maps.Keys(stored)) {
		if stored[key].RevokedAt != "" {
			continue
		}
		v.Badges++
		if _, is := earned[key]; is {
			continue
		}
		if r := l.auditor.Book.Rule(stored[key].Award.Badge); r != nil && r.Revoke {
			v.Differences = append(v.Differences, Difference{Player: name, What: NotRevoked, Award: key})
			continue
		}
		v.Kept = append(v.Kept, Kept{name, key})
	}
}

// Notices returns the ids of the notices of all awards whose rules tell them, each with
// whose award it is.
func (a *Auditor) Notices(ctx context.Context) (map[string]string, error) {
	notices := map[string]string{}
	err := a.scan(ctx, a.giver.Store.Achievements, 1, func(items []map[string]types.AttributeValue) error {
		for _, item := range items {
			s := awards.ReadAchievement(item)
			if r := a.Book.Rule(s.Award.Badge); r != nil && !r.Quiet {
				notices[awards.NoticeID(s.Player, s.Award)] = s.Player + ": " + s.Award.Key()
			}
		}
		return nil
	})
	return notices, err
}

// Rebuild names the views whose sums aren't those of the plays.
func (v Verification) Rebuild() []string {
	views := map[string]bool{}
	for _, d := range v.Differences {
		if d.What == Miscounted && d.holdable() {
			views[d.View] = true
		}
	}
	return slices.Sorted(maps.Keys(views))
}

// holdable reports whether DynamoDB can hold what the plays come to. If it can't, no rebuild of the state helps.
func (d Difference) holdable() bool { return d.Written == nil || change.IsNumber(d.Written.String()) }

// Counts says how many differences there are of each kind, by What.
func (v Verification) Counts() map[string]int {
	counts := map[string]int{}
	for _, d := range v.Differences {
		counts[d.What]++
	}
	return counts
}

// Unholdable counts the states whose plays come to a sum that DynamoDB can't hold.
func (v Verification) Unholdable() int {
	n := 0
	for _, d := range v.Differences {
		if d.What == Miscounted && !d.holdable() {
			n++
		}
	}
	return n
}

// Refused counts the differences that can't be repaired, since their repair is refused for good.
func (v Verification) Refused() int {
	n := 0
	for _, d := range v.Differences {
		if d.Refused {
			n++
		}
	}
	return n
}

// String says what differs, for people.
func (d Difference) String() string {
	if d.What == Miscounted {
		return fmt.Sprintf("%s: %s: the plays come to %s, the state says %s", d.Player, d.Of, d.Written, d.Shown)
	}
	return fmt.Sprintf("%s: %s: %s", d.Player, d.Award, d.What)
}
