package boards

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/shopspring/decimal"
	"golang.org/x/sync/errgroup"

	"sluice/shared/view"
)

// DefaultMaxCounted is MaxCounted of a Board that doesn't say otherwise.
const DefaultMaxCounted = 10_000

// Standing is where an entry stands on its board.
type Standing struct {
	Entry Entry `json:"entry"`
	// From and To bound the entry's rank; they are equal if it is exact. The
	// best one's is 1.
	From    int64 `json:"from"`
	To      int64 `json:"to"`
	Entries int64 `json:"entries"` // on the board
	// Above and Below are the next entries, best first.
	Above []Entry `json:"above"`
	Below []Entry `json:"below"`
	// Crowded tells that there are more neighbours, of whom so many have one
	// number that their order wasn't read.
	Crowded bool `json:"crowded,omitempty"`
	// Problems name items that can't be read. Entries that they count are missing in From, To and Entries.
	Problems []string `json:"problems,omitempty"`
}

// Exact tells whether the rank is exact.
func (s Standing) Exact() bool { return s.From == s.To }

// Rank tells where the entry with a name stands among all of a board of all time, in the
// order of [Entry.Compare], and up to so many neighbours on each side. It reads
// no more of the board than the entries with nearly the same number: how many
// are above these, the views of the board tell, which count its items by the
// first digits of their numbers.
//
// The rank is exact when no change is under way. Those views follow the board as
// the board follows its source, so the rank is off by at most as many entries as
// have changes under way. It is bounded where more than MaxCounted entries share
// all of the first digits. The error is ErrNotOnBoard for a name without an item.
func (b *Board) Rank(ctx context.Context, name string, neighbours int) (Standing, error) {
	if b.Box != nil {
		return Standing{}, fmt.Errorf("view %s has a box; ranks are told of a board of all time", b.View.Name)
	}
	most := cmp.Or(b.MaxCounted, DefaultMaxCounted)
	in, err := b.order(ctx)
	if err != nil {
		return Standing{}, err
	}
	entry, err := b.get(ctx, name, in.number)
	if err != nil {
		if _, bad := errors.AsType[*ItemError](err); bad {
			return Standing{}, err
		}
		return Standing{}, fmt.Errorf("item %q of %s: %w", name, b.Table, err)
	}
	s := Standing{Entry: entry, Above: []Entry{}, Below: []Entry{}}
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error { return b.place(groupCtx, &s, in.number, most) })
	if neighbours > 0 {
		group.Go(func() error { return b.neighbours(groupCtx, &s, neighbours, most) })
	}
	if err := group.Wait(); err != nil {
		return Standing{}, fmt.Errorf("rank of %q: %w", name, err)
	}
	return s, nil
}

// get reads the entry with a name, strongly consistent.
func (b *Board) get(ctx context.Context, name, number string) (Entry, error) {
	projection, names := b.attributes(number)
	out, err := b.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &b.Table, Key: b.Key(name, ""), ConsistentRead: aws.Bool(true),
		ProjectionExpression: &projection, ExpressionAttributeNames: names,
	})
	if err != nil {
		return Entry{}, err
	}
	if out.Item == nil {
		return Entry{}, ErrNotOnBoard
	}
	e, _, err := b.entry(out.Item, number)
	return e, err
}

// place fills in the rank.
func (b *Board) place(ctx context.Context, s *Standing, number string, most int) error {
	levels, err := b.levels(number)
	if err != nil {
		return err
	}
	counts := make([]count, len(levels))
	group, groupCtx := errgroup.WithContext(ctx)
	for i := range levels {
		group.Go(func() (err error) {
			counts[i], err = b.count(groupCtx, levels[:i+1], s.Entry.Number)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if counts[0].all == 0 {
		return fmt.Errorf("%s: %w", levels[0].Table, ErrNotCounted)
	}
	s.Entries = counts[0].all
	s.From = 1
	for _, c := range counts {
		s.From += c.above
		s.Problems = append(s.Problems, c.problems...)
	}
	level := counts[len(counts)-1].level
	s.From = max(1, s.From) // while changes are under way, one may have left a bucket before entering it
	s.To = max(s.From, s.From+level-1)
	if level > int64(most) {
		return nil
	}
	last := levels[len(levels)-1].Last(s.Entry.Number)
	entries, cut, err := b.read(ctx, stretch{
		where:     "#number BETWEEN :number AND :last",
		values:    map[string]types.AttributeValue{":number": numeral(s.Entry.Number), ":last": numeral(last)},
		ascending: true,
		most:      most,
	})
	if err != nil || cut != nil { // cut: they have become too many meanwhile
		return err
	}
	for _, other := range entries {
		if other.Name != s.Entry.Name && other.Compare(s.Entry) < 0 {
			s.From++
		}
	}
	s.To = s.From
	return nil
}

// levels are the views by which the board's items are counted, those of the
// fewest digits first.
func (b *Board) levels(number string) ([]view.Level, error) {
	var levels []view.Level
	for _, v := range b.views {
		l, ok := v.Level(b.Board, number)
		if !ok {
			continue
		}
		if i := slices.IndexFunc(levels, func(other view.Level) bool { return other.Digits == l.Digits }); i >= 0 {
			return nil, fmt.Errorf("views %s and %s both count the items of %s by %d digits of %s; ranks need one of them", levels[i].View, l.View, b.Table, l.Digits, number)
		}
		levels = append(levels, l)
	}
	if len(levels) == 0 {
		return nil, fmt.Errorf("no view counts the items of %s in buckets of %s, so nobody knows ranks; consumers/leaderboard/README.md says how to declare one", b.Table, number)
	}
	slices.SortFunc(levels, func(x, y view.Level) int { return cmp.Compare(x.Digits, y.Digits) })
	return levels, nil
}

// count is how many entries a level has in buckets above one, in that one, and
// in all that were read.
type count struct {
	above, level, all int64
	problems          []string // Buckets that can't be read
}

// count counts the entries on the last of the levels, within the number's bucket
// of the level before it; on the first level all of them.
func (b *Board) count(ctx context.Context, levels []view.Level, number decimal.Decimal) (count, error) {
	level := levels[len(levels)-1]
	own := level.Of(number)
	query := &dynamodb.QueryInput{
		TableName:                 &level.Table,
		KeyConditionExpression:    aws.String("#level = :level"),
		ProjectionExpression:      aws.String("#bucket, #count"),
		ExpressionAttributeNames:  map[string]string{"#level": level.Partition, "#bucket": level.Sort, "#count": level.Count},
		ExpressionAttributeValues: map[string]types.AttributeValue{":level": &types.AttributeValueMemberS{Value: level.Value}},
	}
	if len(levels) > 1 {
		within := levels[len(levels)-2]
		query.KeyConditionExpression = aws.String("#level = :level AND #bucket BETWEEN :own AND :last")
		query.ExpressionAttributeValues[":own"] = numeral(own)
		query.ExpressionAttributeValues[":last"] = numeral(level.Of(within.Last(number)))
	}
	var c count
	pages := dynamodb.NewQueryPaginator(b.client, query)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return c, fmt.Errorf("read %s: %w", level.Table, err)
		}
		for _, item := range page.Items {
			bucket, err := Number(item, level.Sort)
			var entries decimal.Decimal
			if err == nil {
				entries, err = Number(item, level.Count)
			}
			if err != nil {
				c.problems = append(c.problems, (&ItemError{Table: level.Table, Item: "bucket " + bucket.String(), Err: err}).Error())
				continue
			}
			n := entries.IntPart()
			c.all += n
			switch bucket.Cmp(own) {
			case 1:
				c.above += n
			case 0:
				c.level = n
			}
		}
	}
	return c, nil
}

// neighbours fills in the next entries above and below.
func (b *Board) neighbours(ctx context.Context, s *Standing, n, most int) error {
	parts := []struct {
		stretch
		entries []Entry
		cut     *decimal.Decimal
	}{
		{stretch: stretch{where: "#number > :number", ascending: true, n: n}},
		{stretch: stretch{where: "#number = :number"}},
		{stretch: stretch{where: "#number < :number", n: n}},
	}
	group, ctx := errgroup.WithContext(ctx)
	for i := range parts {
		group.Go(func() (err error) {
			p := &parts[i]
			p.values, p.most = map[string]types.AttributeValue{":number": numeral(s.Entry.Number)}, most
			p.entries, p.cut, err = b.read(ctx, p.stretch)
			p.entries = slices.DeleteFunc(p.entries, func(e Entry) bool { return e.Name == s.Entry.Name })
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	higher, level, lower := parts[0], parts[1], parts[2]
	if level.cut != nil {
		s.Crowded = true // the next ones are among these, nobody knows which
		return nil
	}
	at, _ := slices.BinarySearchFunc(level.entries, s.Entry, Entry.Compare)
	above, below := slices.Concat(higher.entries, level.entries[:at]), slices.Concat(level.entries[at:], lower.entries)
	s.Crowded = len(above) < n && higher.cut != nil || len(below) < n && lower.cut != nil
	s.Above = append(s.Above, above[max(0, len(above)-n):]...)
	s.Below = append(s.Below, below[:min(n, len(below))]...)
	return nil
}

func numeral(n decimal.Decimal) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: n.String()}
}
