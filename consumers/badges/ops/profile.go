package ops

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/shopspring/decimal"

	"sluice/consumers/badges"
	"sluice/consumers/badges/internal/awards"
	"sluice/consumers/badges/rule"
)

// Reader tells what is known of players' badges. It is safe for concurrent use.
type Reader struct {
	Book *rule.Book
	// Now may be set before the first call; NewReader sets time.Now.
	Now   func() time.Time
	store *awards.Store
}

// NewReader returns a Reader; it makes no call.
func NewReader(client *dynamodb.Client, s badges.Settings, book *rule.Book) *Reader {
	return &Reader{Book: book, Now: time.Now, store: &awards.Store{Client: client, Achievements: s.AchievementTable, States: s.StateTable}}
}

// CheckLanguage returns an error that names the languages of the rules if there is no
// such.
func (r *Reader) CheckLanguage(language string) error {
	if languages := r.Book.Languages(); !slices.Contains(languages, language) {
		return fmt.Errorf("the badges have no texts in language %q; there are: %s", language, strings.Join(languages, ", "))
	}
	return nil
}

// Profile is what a player's page shows of badges.
type Profile struct {
	// Badges are those that the player has, the latest first.
	Badges []Badge `json:"badges"`
	// Next are those on the way, the nearest first. Of hidden ones nothing is shown
	// before the player has one.
	Next []Next `json:"next"`
}

// Badge is one that a player has.
type Badge struct {
	Badge string `json:"badge"`
	Level string `json:"level,omitempty"`
	Of    string `json:"of,omitempty"`
	Title string `json:"title"`
	// Text is empty if it needs the item that earned the badge, or the rule is gone.
	Text      string `json:"text,omitempty"`
	EarnedAt  string `json:"earnedAt"`
	AwardedAt string `json:"awardedAt,omitempty"`
	ToldAt    string `json:"toldAt,omitempty"` // empty: nobody was told, or not yet
}

// Name is the title with the level, and which of several it is.
func (b Badge) Name() string { return rule.FullName(b.Title, b.Level, b.Of) }

// Next is how far a player is on the way to a badge's next level.
type Next struct {
	Badge string          `json:"badge"`
	Level string          `json:"level,omitempty"`
	Title string          `json:"title"`
	Have  decimal.Decimal `json:"have"`
	Need  decimal.Decimal `json:"need"`
}

// Name is the title with the level.
func (n Next) Name() string { return rule.FullName(n.Title, n.Level, "") }

// Profile reads what a player has and is on the way to, strongly consistent, with titles
// and texts in a language, or in another if a rule lacks it. known is false for a player
// of whom there is neither a badge nor a play.
func (r *Reader) Profile(ctx context.Context, player, language string) (p Profile, known bool, err error) {
	state, stored, err := r.read(ctx, player)
	if err != nil {
		return Profile{}, false, err
	}
	p = Profile{Badges: []Badge{}, Next: []Next{}}
	for _, a := range stored {
		if a.RevokedAt == "" {
			p.Badges = append(p.Badges, r.badge(a, language))
		}
	}
	slices.SortFunc(p.Badges, func(a, b Badge) int {
		return cmp.Or(cmp.Compare(b.EarnedAt, a.EarnedAt), cmp.Compare(a.Badge, b.Badge), cmp.Compare(a.Level, b.Level), cmp.Compare(a.Of, b.Of))
	})
	have := awards.Held(stored)
	for _, one := range r.Book.Rules {
		hidden := one.Hidden && !slices.ContainsFunc(have, func(a rule.Award) bool { return a.Badge == one.Name })
		if hidden || one.Kind == rule.Item {
			continue
		}
		if next, ok := r.next(one, state, have, language); ok {
			p.Next = append(p.Next, next)
		}
	}
	slices.SortStableFunc(p.Next, func(a, b Next) int { return b.Have.Mul(a.Need).Cmp(a.Have.Mul(b.Need)) })
	return p, len(state)+len(stored) > 0, nil
}

// read reads a player's state and awards.
func (r *Reader) read(ctx context.Context, player string) (rule.State, []*awards.Achievement, error) {
	state, err := r.store.State(ctx, player, "", "", nil)
	if err != nil {
		return nil, nil, err
	}
	stored, err := r.store.List(ctx, player)
	return state, stored, err
}

func (r *Reader) badge(a *awards.Achievement, language string) Badge {
	b := Badge{
		Badge: a.Award.Badge, Level: a.Award.Level, Of: a.Award.Of, Title: a.Award.Badge,
		EarnedAt: a.EarnedAt, AwardedAt: a.AwardedAt, ToldAt: a.ToldAt,
	}
	if of := r.Book.Rule(a.Award.Badge); of != nil {
		b.Title = rule.InLanguage(of.Title, language)
		text, err := rule.Fill(rule.InLanguage(of.Text, language), a.Award, nil)
		if err == nil && (of.Kind != rule.Item || !rule.Placeholder.MatchString(text)) {
			b.Text = text
		}
	}
	return b
}

// next returns how far it is to the first thing of a rule that the player hasn't; false:
// there is none.
func (r *Reader) next(one *rule.Rule, state rule.State, have []rule.Award, language string) (Next, bool) {
	has := func(level string) bool {
		return slices.ContainsFunc(have, func(a rule.Award) bool { return a.Badge == one.Name && a.Level == level })
	}
	next := Next{Badge: one.Name, Title: rule.InLanguage(one.Title, language)}
	if one.Kind == rule.All {
		next.Have, next.Need = decimal.NewFromInt(int64(len(one.All)-len(one.Lacks(have)))), decimal.NewFromInt(int64(len(one.All)))
		return next, !has("")
	}
	progress := one.Progress(state, r.today())
	next.Level, next.Have, next.Need = progress.Level, progress.Have, progress.Need
	if one.Repeat > 1 {
		return next.again(one, have)
	}
	for _, l := range one.Levels {
		if !has(l.Name) { // what was awarded stays, also if plays were corrected since
			next.Level, next.Need = l.Name, l.Need
			return next, true
		}
	}
	return next, false
}

// again sets what is needed for the first time of a repeated badge that the player hasn't:
// what was awarded stays, also if plays were corrected since. false: there is none.
func (n Next) again(one *rule.Rule, have []rule.Award) (Next, bool) {
	level := one.Levels[0]
	had := map[string]bool{}
	for _, a := range have {
		had[a.Key()] = true
	}
	for time := range one.Repeat {
		time++
		if !had[rule.Award{Badge: one.Name, Level: level.Name, Of: strconv.FormatInt(time, 10)}.Key()] {
			n.Need = level.Need.Mul(decimal.NewFromInt(time))
			return n, true
		}
	}
	return n, false
}

func (r *Reader) today() string { return awards.Today(r.Now()) }
