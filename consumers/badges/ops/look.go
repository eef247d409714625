package ops

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"sluice/consumers/badges/internal/awards"
	"sluice/consumers/badges/rule"
	"sluice/shared/change"
)

// look is what one reading of all tables has found.
type look struct {
	auditor *Auditor
	only    map[string]bool // players; nil: all

	mu              sync.Mutex
	written         rule.States // made of the plays
	shown           rule.States // from the table of states
	items           map[string][]itemEarned
	stored          map[string][]*awards.Achievement
	plays, unusable int

	moved   map[string]bool // players who have changed since the look before
	unknown int             // numbers of states that plays which have expired may account for
	expires bool            // plays expire, and stay counted
}

// itemEarned is what an item earns by a rule of kind item.
type itemEarned struct {
	rule  *rule.Rule
	award rule.Award
	item  *change.Change
}

// look reads all tables, strongly consistent, each in so many segments side by side.
// Plays come last: what players have comes from plays that were there before.
func (a *Auditor) look(ctx context.Context, segments int, only map[string]bool) (*look, error) {
	l := &look{auditor: a, only: only, written: rule.States{}, shown: rule.States{}, items: map[string][]itemEarned{}, stored: map[string][]*awards.Achievement{}}
	var err error
	if l.expires, err = a.Expires(ctx); err != nil {
		return nil, err
	}
	if err := sideBySide(ctx, segments, l.readStates, l.readStored); err != nil {
		return nil, err
	}
	return l, sideBySide(ctx, segments, l.readPlays, l.readItems)
}

// sideBySide makes several readings at once.
func sideBySide(ctx context.Context, segments int, reads ...func(context.Context, int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, read := range reads {
		group.Go(func() error { return read(ctx, segments) })
	}
	return group.Wait()
}

func (l *look) readStates(ctx context.Context, segments int) error {
	return l.auditor.scan(ctx, l.auditor.giver.Store.States, segments, func(items []map[string]types.AttributeValue) error {
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, item := range items {
			if name := change.TextOf(item[rule.AttrPlayer]); l.looksAt(name) {
				if l.shown[name] == nil {
					l.shown[name] = rule.State{}
				}
				l.shown[name][change.TextOf(item[rule.AttrOf])] = awards.Tallies(item)
			}
		}
		return nil
	})
}

func (l *look) readStored(ctx context.Context, segments int) error {
	return l.auditor.scan(ctx, l.auditor.giver.Store.Achievements, segments, func(items []map[string]types.AttributeValue) error {
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, item := range items {
			if s := awards.ReadAchievement(item); l.looksAt(s.Player) {
				l.stored[s.Player] = append(l.stored[s.Player], s)
			}
		}
		return nil
	})
}

func (l *look) looksAt(player string) bool { return l.only == nil || l.only[player] }

// readPlays makes the states anew.
func (l *look) readPlays(ctx context.Context, segments int) error {
	if len(l.auditor.Book.Views) == 0 {
		return nil // no rule looks at plays
	}
	table := l.auditor.Book.Plays.Table
	keys, err := l.auditor.keys(ctx, table)
	if err != nil {
		return err
	}
	return l.auditor.scan(ctx, table, segments, func(items []map[string]types.AttributeValue) error {
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, item := range items {
			if !l.looksAt(change.TextOf(item[l.auditor.Book.Plays.Player])) {
				continue
			}
			c, err := change.FromItem(table, keys, item, l.auditor.giver.Now())
			if err != nil {
				return fmt.Errorf("read %s: %w", table, err)
			}
			l.plays++
			if l.auditor.Book.Fold(c, l.written) != nil {
				l.unusable++
			}
		}
		return nil
	})
}

// readItems finds what the items of the rules of kind item earn.
func (l *look) readItems(ctx context.Context, segments int) error {
	return l.auditor.eachItem(ctx, segments, func(player string, e itemEarned) {
		if l.looksAt(player) {
			if l.only == nil {
				e.item = nil // nothing is repaired after a first look, and there may be many
			}
			l.items[player] = append(l.items[player], e)
		}
	}, func() {
		l.mu.Lock() // plays are read at the same time
		defer l.mu.Unlock()
		l.unusable++
	})
}

// eachItem yields what items earn, one after the other, and how many earn nothing
// for want of what their rule needs.
func (a *Auditor) eachItem(ctx context.Context, segments int, yield func(player string, e itemEarned), unusable func()) error {
	byTable := map[string][]*rule.Rule{}
	var tables []string
	for _, r := range a.Book.Rules {
		if r.Kind == rule.Item {
			if byTable[r.Source.Table] == nil {
				tables = append(tables, r.Source.Table)
			}
			byTable[r.Source.Table] = append(byTable[r.Source.Table], r)
		}
	}
	var mu sync.Mutex // guards what yield and unusable do
	for _, table := range tables {
		keys, err := a.keys(ctx, table)
		if err != nil {
			return err
		}
		err = a.scan(ctx, table, segments, func(items []map[string]types.AttributeValue) error {
			mu.Lock()
			defer mu.Unlock()
			for _, item := range items {
				c, err := change.FromItem(table, keys, item, a.giver.Now())
				if err != nil {
					return fmt.Errorf("read %s: %w", table, err)
				}
				for _, r := range byTable[table] {
					player, award, err := r.OfItemChange(c)
					if err != nil {
						unusable()
					} else if player != "" {
						yield(player, itemEarned{r, award, c})
					}
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
func (l *look) earned(name string) map[string]rule.Award {
	var have []rule.Award
	for _, e := range l.items[name] {
		have = append(have, e.award)
	}
	items := len(have)
	for _, s := range l.stored[name] {
		r := l.auditor.Book.Rule(s.Award.Badge)
		if s.RevokedAt == "" && r != nil && r.Kind != rule.All { // those of All have to be earned by the others
			have = append(have, s.Award)
		}
	}
	earned := map[string]rule.Award{}
	for _, a := range slices.Concat(l.auditor.Book.AllEarned(l.stateOf(name), l.auditor.giver.Today(), have), have[:items]) {
		earned[a.Key()] = a
	}
	// An award that is stored as it was earlier is that of the item: nobody can tell of which
	// of several that had one key then.
	for _, s := range l.stored[name] {
		for _, e := range l.items[name] {
			if key := s.Award.Key(); e.award.Formerly == key {
				delete(earned, e.award.Key())
				earned[key] = s.Award
			}
		}
	}
	return earned
}

// keys returns the names of a table's key attributes, that of the partition first.
func (a *Auditor) keys(ctx context.Context, table string) ([]string, error) {
	out, err := a.client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table})
	if err != nil {
		return nil, fmt.Errorf("describe table %s: %w", table, err)
	}
	var keys []string
	for _, key := range out.Table.KeySchema {
		keys = append(keys, *key.AttributeName)
	}
	return keys, nil
}

// scan reads a table in segments side by side; visit is called from each of them.
func (a *Auditor) scan(ctx context.Context, table string, segments int, visit func([]map[string]types.AttributeValue) error) error {
	segments = max(segments, 1)
	group, ctx := errgroup.WithContext(ctx)
	for segment := range segments {
		group.Go(func() error {
			pages := dynamodb.NewScanPaginator(a.client, &dynamodb.ScanInput{
				TableName: &table, ConsistentRead: aws.Bool(true), Segment: aws.Int32(int32(segment)), TotalSegments: aws.Int32(int32(segments)),
			})
			for pages.HasMorePages() {
				page, err := pages.NextPage(ctx)
				if err != nil {
					return fmt.Errorf("read %s: %w", table, err)
				}
				if err := visit(page.Items); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// playsOf returns a player's plays in the order of their times; none if the table of plays
// can't be asked for a player's, since it has another key.
func (a *Auditor) playsOf(ctx context.Context, player string) ([]rule.Play, error) {
	table := a.Book.Plays.Table
	keys, err := a.keys(ctx, table)
	if err != nil || keys[0] != a.Book.Plays.Player {
		return nil, err
	}
	var plays []*change.Change
	pages := dynamodb.NewQueryPaginator(a.client, &dynamodb.QueryInput{
		TableName: &table, ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String("#player = :player"),
		ExpressionAttributeNames:  map[string]string{"#player": a.Book.Plays.Player},
		ExpressionAttributeValues: map[string]types.AttributeValue{":player": &types.AttributeValueMemberS{Value: player}},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("read the plays of %s in %s: %w", player, table, err)
		}
		for _, item := range page.Items {
			c, err := change.FromItem(table, keys, item, a.giver.Now())
			if err != nil {
				return nil, fmt.Errorf("read the plays of %s in %s: %w", player, table, err)
			}
			plays = append(plays, c)
		}
	}
	return a.Book.InOrder(plays), nil
}
