// Package game plays the game whose scores the leaderboard sums: players who
// write a score now and then, each under a time of its own.
package game

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	smithytime "github.com/aws/smithy-go/time"
	"golang.org/x/sync/errgroup"
)

// MaxScore is the highest score of one turn; the lowest is 0.
const MaxScore = 9

// maxPause is the longest pause between two turns of a player when no rate is
// asked for; pauses are spread evenly from 0 to this.
const maxPause = 5 * time.Second

// Names are the players with a name of their own; further ones get a number.
var Names = []string{"marah", "teegan", "quynn", "kuame", "reed", "alyssa", "wesley", "mariam", "macaulay", "maggy"}

// timestampLayout orders as text as it does in time.
const timestampLayout = "2006-01-02 15:04:05.000000"

// Game is one round of the game.
type Game struct {
	Client  *dynamodb.Client
	Table   string        // the score table
	Players int           // how many play
	For     time.Duration // how long
	// Rate is how many scores a second all players write together; 0: as they
	// like, with pauses of up to five seconds.
	Rate float64
	// Seed decides scores and pauses.
	Seed uint64
	// Scored, if set, is called after each score is written. Calls come from
	// all players side by side.
	Scored func(user string, score int)
}

const (
	// catchUp is how long after the round scores are written that were due in it, if the table was slow.
	catchUp = time.Minute
	// letFinish is how long a write may take that has begun when a round is broken off.
	letFinish = 5 * time.Second
)

// BehindError is returned for a round whose scores couldn't all be written in time.
type BehindError struct {
	Table        string
	Written, Due int64 // scores; Due is about how many the round should have had
}

func (e *BehindError) Error() string {
	return fmt.Sprintf("only %d of about %d scores are written: %s was too slow or gave no answer. The scores that are written stay", e.Written, e.Due, e.Table)
}

// Play plays until the time is up and returns how much each player has
// written. A turn that is late because the table was slow is made up for, and
// what isn't written [catchUp] after the round is a *BehindError. If ctx ends
// before, that is no error: the round is just shorter. If a score can't be
// written, all stop and the error says which.
func (g Game) Play(ctx context.Context) (map[string]int64, error) {
	return g.play(ctx, time.Now(), catchUp)
}

// Expected returns about how many scores a game writes.
func (g Game) Expected() int {
	return int(float64(g.Players) * 2 * g.For.Seconds() / g.longestPause().Seconds())
}

// longestPause returns the longest pause between two turns of a player; the shortest is 0.
func (g Game) longestPause() time.Duration {
	if g.Rate > 0 {
		return time.Duration(2 * float64(g.Players) / g.Rate * float64(time.Second))
	}
	return maxPause
}

func (g Game) play(ctx context.Context, began time.Time, catchUp time.Duration) (map[string]int64, error) {
	r := round{Game: g, ends: began.Add(g.For), longest: g.longestPause()}
	written := make(map[string]int64, g.Players)
	for n := range g.Players {
		written[playerName(n)] = 0 // also those who never get to write
	}
	// A write that has begun is finished even if ctx ends, so that what Play reports is what the table holds.
	writing, cancel := context.WithDeadline(context.WithoutCancel(ctx), r.ends.Add(catchUp))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(letFinish, cancel) })()
	var mu sync.Mutex // guards written and scores from here on
	scores := int64(0)
	var missed atomic.Int64
	group, playing := errgroup.WithContext(ctx)
	for n := range g.Players {
		user := playerName(n)
		random := rand.New(rand.NewPCG(g.Seed, uint64(n)))
		group.Go(func() error {
			n, err := r.turns(playing, writing, user, began, random, func(score int) {
				mu.Lock()
				written[user] += int64(score)
				scores++
				mu.Unlock()
				if g.Scored != nil {
					g.Scored(user, score)
				}
			})
			missed.Add(n)
			return err
		})
	}
	err := group.Wait()
	if n := missed.Load(); err == nil && n > 0 {
		err = &BehindError{Table: g.Table, Written: scores, Due: scores + n}
	}
	return written, err
}

func playerName(n int) string {
	if n < len(Names) {
		return Names[n]
	}
	return "player-" + strconv.Itoa(n+1)
}

// round is one round that is being played.
type round struct {
	Game
	ends    time.Time
	longest time.Duration // pause between two turns
}

// turns takes one player's turns, each when it is due or, if the one before took long, right behind it. It returns about how
// many were due and aren't written when writing ends.
func (r round) turns(ctx, writing context.Context, user string, due time.Time, random *rand.Rand, scored func(int)) (missed int64, err error) {
	var last time.Time
	for {
		if due = due.Add(time.Duration(random.Float64() * float64(r.longest))); due.After(r.ends) {
			return 0, nil
		}
		if smithytime.SleepWithContext(ctx, time.Until(due)) != nil || ctx.Err() != nil {
			return 0, nil // the round is shorter
		}
		// Two turns within one microsecond, or when the clock went back, have times of their own too.
		at := time.Now()
		if earliest := last.Add(time.Microsecond); at.Before(earliest) {
			at = earliest
		}
		last = at
		score := random.IntN(MaxScore + 1)
		err := r.write(writing, user, at.UTC().Format(timestampLayout), score)
		if err != nil && ctx.Err() != nil {
			return 0, nil //nolint:nilerr // the round is shorter
		}
		if err != nil && writing.Err() != nil {
			return 1 + int64(2*r.ends.Sub(due)/max(r.longest, 1)), nil
		}
		if err != nil {
			return 0, err
		}
		scored(score)
	}
}

func (g Game) write(ctx context.Context, user, at string, score int) error {
	_, err := g.Client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &g.Table,
		Item: map[string]types.AttributeValue{
			attrUser:      &types.AttributeValueMemberS{Value: user},
			attrTimestamp: &types.AttributeValueMemberS{Value: at},
			attrScore:     &types.AttributeValueMemberN{Value: strconv.Itoa(score)},
		},
	})
	if err != nil {
		return fmt.Errorf("write a score of %s to %s: %w", user, g.Table, err)
	}
	return nil
}
