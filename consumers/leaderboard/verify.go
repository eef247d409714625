package leaderboard

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/shopspring/decimal"
	"golang.org/x/sync/errgroup"
)

// Verification compares the score table with the boards, player by player, and
// the board of totals with the table of ranks, bucket by bucket.
type Verification struct {
	Players     int          `json:"players"` // in the score table or on the board of totals
	Boxes       int          `json:"boxes"`   // players' scores of a day or week that were compared too
	Buckets     int          `json:"buckets"` // whose players were counted
	Differences []Difference `json:"differences"`
}

// Difference is a player whose total isn't the sum of the scores written, or a
// bucket that counts other players than the board of totals has.
type Difference struct {
	// Board is total, or a day's or week's like daily#2026-01-02, or a level of
	// buckets of totals, like total#2 with those of two digits.
	Board   string          `json:"board"`
	User    string          `json:"user,omitempty"`
	Bucket  string          `json:"bucket,omitempty"`
	Written decimal.Decimal `json:"written"`
	Shown   decimal.Decimal `json:"shown"`
}

// Verify reads the tables whole and compares each player's scores with the
// total, and with those of each day and week that is still open now; a player
// who is in one table only counts as 0 in the other. It also counts the board's
// players in each bucket, for Rank. While changes are on their
// way the tables differ, so wait for the stream to drain first. Scores that
// expired without being subtracted (CountTTLDeletes false) are in the totals
// only and show as differences.
func (b Board) Verify(ctx context.Context, now time.Time) (Verification, error) {
	open := map[string]bool{}
	for _, board := range []string{DailyBoard, WeeklyBoard} {
		v, err := b.view(board)
		if err != nil {
			return Verification{}, err
		}
		for _, box := range v.Box.Open(now) {
			open[board+"#"+box] = true
		}
	}
	written, shown, counted := sums{}, sums{}, sums{}
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error { return b.addWritten(groupCtx, written) })
	group.Go(func() error { return b.addShown(groupCtx, shown) })
	group.Go(func() error { return b.addCounted(groupCtx, counted) })
	if err := group.Wait(); err != nil {
		return Verification{}, err
	}
	if err := b.countInto(written, shown); err != nil {
		return Verification{}, err
	}
	maps.Copy(shown, counted)
	cells := maps.Clone(written)
	maps.Copy(cells, shown)
	v := Verification{Differences: []Difference{}}
	for _, c := range slices.SortedFunc(maps.Keys(cells), cell.compare) {
		switch {
		case c.bucket != "":
			v.Buckets++
		case c.board == TotalBoard:
			v.Players++
		case open[c.board]:
			v.Boxes++
		default:
			continue
		}
		if !written[c].Equal(shown[c]) {
			v.Differences = append(v.Differences, Difference{Board: c.board, User: c.user, Bucket: c.bucket, Written: written[c], Shown: shown[c]})
		}
	}
	return v, nil
}

// sums are players' scores on boards, and counts of players in buckets.
type sums map[cell]decimal.Decimal

type cell struct{ board, user, bucket string }

func (c cell) compare(o cell) int {
	return cmp.Or(cmp.Compare(c.board, o.board), cmp.Compare(c.user, o.user), cmp.Compare(c.bucket, o.bucket))
}

func (s sums) add(board string, t Total) {
	c := cell{board: board, user: t.User}
	s[c] = s[c].Add(t.Score)
}

// addWritten adds every score to the boards that it belongs to.
func (b Board) addWritten(ctx context.Context, to sums) error {
	daily, err := b.view(DailyBoard)
	if err != nil {
		return err
	}
	weekly, err := b.view(WeeklyBoard)
	if err != nil {
		return err
	}
	return b.scan(ctx, b.ScoreTable, AttrTimestamp, func(t Total, timestamp string) error {
		to.add(TotalBoard, t)
		day, err := daily.Box.Of(timestamp)
		if err != nil {
			return nil // a dead letter of both boards; in the total all the same
		}
		week, err := weekly.Box.Of(timestamp)
		if err != nil {
			return err
		}
		to.add(DailyBoard+"#"+day, t)
		to.add(WeeklyBoard+"#"+week, t)
		return nil
	})
}

// addShown adds what the boards show.
func (b Board) addShown(ctx context.Context, to sums) error {
	totals, err := b.Totals(ctx)
	if err != nil {
		return err
	}
	for user, score := range totals {
		to.add(TotalBoard, Total{User: user, Score: score})
	}
	return b.scan(ctx, b.BoxTable, AttrBoard, func(t Total, board string) error {
		to.add(board, t)
		return nil
	})
}

// countInto counts the players of the board of totals in each bucket.
func (b Board) countInto(to, board sums) error {
	buckets, err := b.buckets()
	if err != nil {
		return err
	}
	for c, score := range board {
		if c.board != TotalBoard {
			continue
		}
		for _, bucket := range buckets {
			in := cell{board: rankBoard(bucket), bucket: bucket.Of(score).String()}
			to[in] = to[in].Add(decimal.NewFromInt(1))
		}
	}
	return nil
}

// addCounted adds what the table of ranks says.
func (b Board) addCounted(ctx context.Context, to sums) error {
	pages := dynamodb.NewScanPaginator(b.Client, &dynamodb.ScanInput{TableName: &b.RankTable, ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("read %s: %w", b.RankTable, err)
		}
		for _, item := range page.Items {
			bucket, players, err := readBucket(item)
			if err != nil {
				return fmt.Errorf("read %s: %w", b.RankTable, err)
			}
			to[cell{board: readString(item, AttrBoard), bucket: bucket.String()}] = players
		}
	}
	return nil
}
