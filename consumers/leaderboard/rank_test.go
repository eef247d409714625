package leaderboard

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"sluice/consumers/leaderboard/boards"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/gametest"
	"sluice/shared/consumertest/proof"
)

// place puts players onto the board as the leaderboard does, on so many of its
// shards, and lets the views of the board count them.
func (w *world) place(players []boards.Entry, shards int) {
	w.t.Helper()
	var records [][]byte
	var puts []types.WriteRequest
	for i, p := range players {
		shard, reached := strconv.Itoa(i%shards), strconv.FormatInt(p.Since.UnixMicro(), 10)
		puts = append(puts, types.WriteRequest{PutRequest: &types.PutRequest{Item: map[string]types.AttributeValue{
			gametest.AttrUser: &types.AttributeValueMemberS{Value: p.Name}, gametest.AttrScore: numeral(p.Number),
			gametest.AttrShard: &types.AttributeValueMemberN{Value: shard}, gametest.AttrReachedAt: &types.AttributeValueMemberN{Value: reached},
		}}})
		records = append(records, consumertest.Change{
			Table: gametest.BoardTable, Time: at(i), Keys: consumertest.Item{gametest.AttrUser: consumertest.S(p.Name)},
			New: consumertest.Item{gametest.AttrUser: consumertest.S(p.Name), gametest.AttrScore: consumertest.N(p.Number.String())},
		}.Record())
	}
	const most = 25 // that DynamoDB takes at once
	for part := range slices.Chunk(puts, most) {
		out, err := w.direct.BatchWriteItem(w.t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{gametest.BoardTable: part}})
		if err != nil || len(out.UnprocessedItems) > 0 {
			w.t.Fatalf("%d unprocessed, %v", len(out.UnprocessedItems), err)
		}
	}
	w.deliver(w.function(nil), 10_000, records...)
}

// crowd is n players of whom many are level, at the same moment too, with scores
// in one bucket on some levels and not on others.
func crowd(random *rand.Rand, n int) []boards.Entry {
	scores := []string{
		"0", "1", "1.5", "10", "12", "19", "99", "100", "101", "100.01", "120", "129", "12345", "12346", "12399", "12400", "-1", "-1.01", "-199", "-0.0456",
		"12345678901234567890123456789012345678", "12345678901234567890123456789012345677", "-9.9999999999999999999999999999999999999", "9.99e125", "1e125",
	}
	players := make([]boards.Entry, n)
	for i := range players {
		score := decimal.RequireFromString(scores[random.IntN(len(scores))])
		if random.IntN(3) == 0 {
			score = decimal.New(int64(random.IntN(2000)-500), -1)
		}
		players[i] = boards.Entry{Name: fmt.Sprintf("player-%03d", random.IntN(1000)*1000+i), Number: score, Since: at(random.IntN(3)).UTC()}
	}
	return players
}

// some are n indexes of players.
func some(random *rand.Rand, players []boards.Entry, n int) []int {
	return random.Perm(len(players))[:min(n, len(players))]
}

// A player's rank and neighbours are those of a sorted list. Fails if a
// bucket is counted twice or left out, or ties are by name or by shard.
func TestRank(t *testing.T) {
	// The first two notice every mutant; the others may find what nobody thought of.
	for _, seed := range []uint64{2, 5, rand.Uint64(), rand.Uint64()}[:proof.Size(4, 2)] {
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 0))
		players := crowd(random, 1+random.IntN(150))
		w := newWorld(t)
		w.place(players, 3) // on few, so that there are ties on each
		slices.SortFunc(players, boards.Entry.Compare)
		n := 1 + random.IntN(6)
		for asked, i := range some(random, players, proof.Size(25, 10)) {
			p := players[i]
			got, err := w.board().Rank(t.Context(), p.Name, n)
			if err != nil {
				t.Fatal(err)
			}
			want := boards.Standing{
				Entry: p, From: int64(i + 1), To: int64(i + 1), Entries: int64(len(players)),
				Above: players[max(0, i-n):i], Below: players[i+1 : min(len(players), i+1+n)],
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%d ranks asked, 1 differed: that of %s (-want +got):\n%s", asked+1, p.Name, diff)
			}
		}
		best, err := w.board().Top(t.Context(), "", len(players)/2)
		if diff := cmp.Diff(players[:len(players)/2], append([]boards.Entry{}, best...)); diff != "" || err != nil {
			t.Errorf("top: %v (-want +got):\n%s", err, diff)
		}
	}
}

// Where more players share the first digits than may be read, the rank is
// bounded, and neighbours are told as far as their order is known.
func TestRankInACrowd(t *testing.T) {
	const most = 10
	random := rand.New(rand.NewPCG(7, 0))
	players := crowd(random, 150)
	for i := range players[:50] {
		players[i].Number = decimal.NewFromInt(100)
	}
	w := newWorld(t)
	w.place(players, 3) // on few, so that there are ties on each
	slices.SortFunc(players, boards.Entry.Compare)
	bounded := w.board()
	bounded.MaxCounted = most
	exact, crowded := 0, 0
	for _, i := range some(random, players, 40) {
		p := players[i]
		got, err := bounded.Rank(t.Context(), p.Name, 5)
		if err != nil {
			t.Fatal(err)
		}
		if rank := int64(i + 1); rank < got.From || rank > got.To {
			t.Errorf("%s is %d., not from %d to %d", p.Name, rank, got.From, got.To)
		}
		if got.Exact() {
			exact++
		} else if got.To-got.From < most {
			t.Errorf("the rank of %s is from %d to %d, though only so many share its first digits", p.Name, got.From, got.To)
		}
		above, below := players[:i], players[i+1:]
		if !cmp.Equal(got.Above, append([]boards.Entry{}, above[i-len(got.Above):]...)) || !cmp.Equal(got.Below, append([]boards.Entry{}, below[:len(got.Below)]...)) {
			t.Errorf("neighbours of %s: %v and %v", p.Name, got.Above, got.Below)
		}
		if all := len(got.Above) == min(5, len(above)) && len(got.Below) == min(5, len(below)); all == got.Crowded {
			t.Errorf("neighbours of %s: %v and %v, crowded %v", p.Name, got.Above, got.Below, got.Crowded)
		}
		if got.Crowded {
			crowded++
		}
	}
	if exact == 0 || exact == 40 || crowded == 0 || crowded == 40 {
		t.Errorf("%d ranks are exact, %d crowded of 40; the test needs both", exact, crowded)
	}
}

func TestRankOfNobody(t *testing.T) {
	w := newWorld(t)
	if _, err := w.board().Rank(t.Context(), "nobody", 5); !errors.Is(err, boards.ErrNotOnBoard) {
		t.Errorf("error %v, want ErrNotOnBoard", err)
	}
	w.deliver(w.function(nil), 10, insert("reed", 1, "5")) // and nobody tells that the board has changed
	if _, err := w.board().Rank(t.Context(), "reed", 5); !errors.Is(err, boards.ErrNotCounted) {
		t.Errorf("error %v, want ErrNotCounted", err)
	}
}

// Boards from before there was ReachedAt, or whose index has keys only.
func TestTiesWithoutReachedAt(t *testing.T) {
	seven := decimal.NewFromInt(7)
	players := []boards.Entry{{Name: "b", Number: seven, Since: time.UnixMicro(5)}, {Name: "c", Number: seven}, {Name: "a", Number: seven}}
	slices.SortFunc(players, boards.Entry.Compare)
	var order string
	for _, p := range players {
		order += p.Name
	}
	if order != "acb" {
		t.Errorf("order %s, want acb: those who have had their total from before it was noted are first, by name", order)
	}
}
