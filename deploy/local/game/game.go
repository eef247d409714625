// Package game plays the game whose scores the leaderboard sums: players who
// write a score now and then, each under a time of its own.
package game

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"sluice/consumers/leaderboard"
)

// MaxScore is the highest score of one turn; the lowest is 0.
const MaxScore = 9

// maxPause is the longest pause between two turns of a player when no rate is
// asked for; pauses are spread evenly from 0 to this.
const maxPause = 5 * time.Second

// names are the players with a name of their own; further ones get a number.
var names = []string{"marah", "teegan", "quynn", "kuame", "reed", "alyssa", "wesley", "mariam", "macaulay", "maggy"}

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

// Play plays until the time is up and returns how much each player has
// written. If ctx ends before, that is no error: the round is just shorter. If
// a score can't be written, all stop and the error says which.
func (g Game) Play(ctx context.Context) (map[string]int64, error) {
	ctx, cancel := context.WithTimeout(ctx, g.For)
	defer cancel()
	written := make(map[string]int64, g.Players)
	for n := range g.Players {
		written[playerName(n)] = 0 // also those who never get to write
	}
	var mu sync.Mutex // guards written from here on
	group, ctx := errgroup.WithContext(ctx)
	for n := range g.Players {
		user := playerName(n)
		random := rand.New(rand.NewPCG(g.Seed, uint64(n)))
		group.Go(func() error {
			return g.play(ctx, user, random, func(score int) {
				mu.Lock()
				written[user] += int64(score)
				mu.Unlock()
				if g.Scored != nil {
					g.Scored(user, score)
				}
			})
		})
	}
	err := group.Wait()
	return written, err
}

func playerName(n int) string {
	if n < len(names) {
		return names[n]
	}
	return "player-" + strconv.Itoa(n+1)
}

// play takes one player's turns.
func (g Game) play(ctx context.Context, user string, random *rand.Rand, scored func(int)) error {
	longest := maxPause
	if g.Rate > 0 {
		longest = time.Duration(2 * float64(g.Players) / g.Rate * float64(time.Second))
	}
	last := ""
	for {
		pause := time.NewTimer(time.Duration(random.Float64() * float64(longest)))
		select {
		case <-ctx.Done():
			pause.Stop()
			return nil
		case <-pause.C:
		}
		at := time.Now().UTC().Format(timestampLayout)
		if at <= last { // two turns within one microsecond, or the clock went back
			continue
		}
		last = at
		score := random.IntN(MaxScore + 1)
		// A score that was begun is written to its end even if time is up, so
		// that what Play reports is what the table holds.
		if err := g.write(context.WithoutCancel(ctx), user, at, score); err != nil {
			return err
		}
		scored(score)
	}
}

func (g Game) write(ctx context.Context, user, at string, score int) error {
	_, err := g.Client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &g.Table,
		Item: map[string]types.AttributeValue{
			leaderboard.AttrUser:      &types.AttributeValueMemberS{Value: user},
			leaderboard.AttrTimestamp: &types.AttributeValueMemberS{Value: at},
			leaderboard.AttrScore:     &types.AttributeValueMemberN{Value: strconv.Itoa(score)},
		},
	})
	if err != nil {
		return fmt.Errorf("write a score of %s to %s: %w", user, g.Table, err)
	}
	return nil
}
