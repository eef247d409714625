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

// Standing is where a player stands on the board of totals.
type Standing struct {
	Player Total `json:"player"`
	// From and To bound the player's rank; they are equal if it is exact. The
	// best player's is 1.
	From    int64 `json:"from"`
	To      int64 `json:"to"`
	Players int64 `json:"players"` // on the board
	// Above and Below are the next players, best first.
	Above []Total `json:"above"`
	Below []Total `json:"below"`
	// Crowded tells that there are more neighbours, of whom so many have one
	// total that their order wasn't read.
	Crowded bool `json:"crowded,omitempty"`
	// Problems name items that can't be read. Players that they count are missing in From, To and Players.
	Problems []string `json:"problems,omitempty"`
}

// Exact tells whether the rank is exact.
func (s Standing) Exact() bool { return s.From == s.To }

// Rank tells where a player stands among all players by their totals, in the
// order of [Total.Compare], and up to so many neighbours on each side. It reads
// no more of the board than the players with nearly the same total: how many
// are above these, the views of the board tell, which count its players by the
// first digits of their totals.
//
// The rank is exact when no change is under way. Those views follow the board as
// the board follows the scores, so the rank is off by at most as many players as
// have changes under way. It is bounded where more than MaxCounted players share
// all of the first digits. The error is ErrNotOnBoard for a player without a total.
func (b Board) Rank(ctx context.Context, user string, neighbours int) (Standing, error) {
	most := cmp.Or(b.MaxCounted, DefaultMaxCounted)
	player, err := b.total(ctx, user)
	if err != nil {
		if _, bad := errors.AsType[*ItemError](err); bad {
			return Standing{}, err
		}
		return Standing{}, fmt.Errorf("total of %q in %s: %w", user, b.BoardTable, err)
	}
	s := Standing{Player: player, Above: []Total{}, Below: []Total{}}
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error { return b.place(groupCtx, &s, most) })
	if neighbours > 0 {
		group.Go(func() error { return b.neighbours(groupCtx, &s, neighbours, most) })
	}
	if err := group.Wait(); err != nil {
		return Standing{}, fmt.Errorf("rank of %q: %w", user, err)
	}
	return s, nil
}

// total reads a player's total, strongly consistent.
func (b Board) total(ctx context.Context, user string) (Total, error) {
	out, err := b.Client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:                &b.BoardTable,
		Key:                      map[string]types.AttributeValue{AttrUser: &types.AttributeValueMemberS{Value: user}},
		ConsistentRead:           aws.Bool(true),
		ProjectionExpression:     aws.String("#user, #score, #reached"),
		ExpressionAttributeNames: map[string]string{"#user": AttrUser, "#score": AttrScore, "#reached": AttrReachedAt},
	})
	if err != nil {
		return Total{}, err
	}
	if out.Item == nil {
		return Total{}, ErrNotOnBoard
	}
	t, err := readTotal(out.Item)
	if err != nil {
		err = &ItemError{Table: b.BoardTable, Item: "a total", Err: err}
	}
	return t, err
}

// place fills in the rank.
func (b Board) place(ctx context.Context, s *Standing, most int) error {
	buckets, err := b.Buckets()
	if err != nil {
		return err
	}
	counts := make([]count, len(buckets))
	group, groupCtx := errgroup.WithContext(ctx)
	for i := range buckets {
		group.Go(func() (err error) {
			counts[i], err = b.count(groupCtx, buckets[:i+1], s.Player.Score)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if counts[0].all == 0 {
		return fmt.Errorf("%s: %w", b.RankTable, ErrNotCounted)
	}
	s.Players = counts[0].all
	s.From = 1
	for _, c := range counts {
		s.From += c.above
		s.Problems = append(s.Problems, c.problems...)
	}
	level := counts[len(counts)-1].level
	s.From = max(1, s.From) // while changes are under way, somebody may have left a bucket before entering it
	s.To = max(s.From, s.From+level-1)
	if level > int64(most) {
		return nil
	}
	last := buckets[len(buckets)-1].Last(s.Player.Score)
	players, cut, err := b.read(ctx, b.totals(), stretch{
		where:     "#score BETWEEN :score AND :last",
		values:    map[string]types.AttributeValue{":score": number(s.Player.Score), ":last": number(last)},
		ascending: true,
		most:      most,
	})
	if err != nil || cut != nil { // cut: they have become too many meanwhile
		return err
	}
	for _, other := range players {
		if other.User != s.Player.User && other.Compare(s.Player) < 0 {
			s.From++
		}
	}
	s.To = s.From
	return nil
}

// Buckets are the levels by which the board's players are counted, those of the
// fewest digits first.
func (b Board) Buckets() ([]*view.Bucket, error) {
	var buckets []*view.Bucket
	for _, v := range b.Views {
		if v.Bucket != nil && v.Source == b.BoardTable && v.Table == b.RankTable {
			buckets = append(buckets, v.Bucket)
		}
	}
	if len(buckets) == 0 {
		return nil, fmt.Errorf("no view of %s in buckets is declared", b.BoardTable)
	}
	slices.SortFunc(buckets, func(x, y *view.Bucket) int { return cmp.Compare(x.Digits, y.Digits) })
	return buckets, nil
}

// RankBoard is the key under which a level's buckets stand.
func RankBoard(b *view.Bucket) string { return fmt.Sprintf("%s#%d", TotalBoard, b.Digits) }

// count is how many players a level has in buckets above one, in that one, and
// in all that were read.
type count struct {
	above, level, all int64
	problems          []string // Buckets that can't be read
}

// count counts the players on the last of the levels, within the score's bucket
// of the level before it; on the first level all of them.
func (b Board) count(ctx context.Context, levels []*view.Bucket, score decimal.Decimal) (count, error) {
	level := levels[len(levels)-1]
	own := level.Of(score)
	query := &dynamodb.QueryInput{
		TableName:                 &b.RankTable,
		KeyConditionExpression:    aws.String("#board = :board"),
		ProjectionExpression:      aws.String("#bucket, #players"),
		ExpressionAttributeNames:  map[string]string{"#board": AttrBoard, "#bucket": AttrBucket, "#players": AttrPlayers},
		ExpressionAttributeValues: map[string]types.AttributeValue{":board": &types.AttributeValueMemberS{Value: RankBoard(level)}},
	}
	if len(levels) > 1 {
		within := levels[len(levels)-2]
		query.KeyConditionExpression = aws.String("#board = :board AND #bucket BETWEEN :own AND :last")
		query.ExpressionAttributeValues[":own"] = number(own)
		query.ExpressionAttributeValues[":last"] = number(level.Of(within.Last(score)))
	}
	var c count
	pages := dynamodb.NewQueryPaginator(b.Client, query)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return c, fmt.Errorf("read %s: %w", b.RankTable, err)
		}
		for _, item := range page.Items {
			bucket, err := Number(item, AttrBucket)
			var players decimal.Decimal
			if err == nil {
				players, err = Number(item, AttrPlayers)
			}
			if err != nil {
				c.problems = append(c.problems, (&ItemError{Table: b.RankTable, Item: "bucket " + bucket.String(), Err: err}).Error())
				continue
			}
			n := players.IntPart()
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

// neighbours fills in the next players above and below.
func (b Board) neighbours(ctx context.Context, s *Standing, n, most int) error {
	parts := []struct {
		stretch
		players []Total
		cut     *decimal.Decimal
	}{
		{stretch: stretch{where: "#score > :score", ascending: true, n: n}},
		{stretch: stretch{where: "#score = :score"}},
		{stretch: stretch{where: "#score < :score", n: n}},
	}
	group, ctx := errgroup.WithContext(ctx)
	for i := range parts {
		group.Go(func() (err error) {
			p := &parts[i]
			p.values, p.most = map[string]types.AttributeValue{":score": number(s.Player.Score)}, most
			p.players, p.cut, err = b.read(ctx, b.totals(), p.stretch)
			p.players = slices.DeleteFunc(p.players, func(t Total) bool { return t.User == s.Player.User })
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
	at, _ := slices.BinarySearchFunc(level.players, s.Player, Total.Compare)
	above, below := slices.Concat(higher.players, level.players[:at]), slices.Concat(level.players[at:], lower.players)
	s.Crowded = len(above) < n && higher.cut != nil || len(below) < n && lower.cut != nil
	s.Above = append(s.Above, above[max(0, len(above)-n):]...)
	s.Below = append(s.Below, below[:min(n, len(below))]...)
	return nil
}

func number(n decimal.Decimal) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: n.String()}
}
