package leaderboard

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/gametest"
	"sluice/shared/consumertest/proof"
	"sluice/shared/consumertest/wire"
)

func TestInsertModifyRemove(t *testing.T) {
	w := newWorld(t)
	w.deliver(w.function(nil), 100,
		insert("reed", 1, "2"), insert("reed", 2, "5"), insert("wesley", 3, "8"), insert("maggy", 4, "7"),
		modify("reed", 1, 10, "2", "9"),
		remove("wesley", 3, 10, "8", false),
		remove("maggy", 4, 10, "7", true), // expired
	)
	w.wantTotals(map[string]int{"reed": 14, "wesley": 0, "maggy": 0})
}

// Any order, with repeats: the old image's score may be subtracted before it was added.
func TestEveryOrderOfOneItem(t *testing.T) {
	changes := [][]byte{insert("reed", 1, "2"), modify("reed", 1, 10, "2", "9"), modify("reed", 1, 20, "9", "4"), remove("reed", 1, 30, "4", false)}
	w := newWorld(t)
	f := w.function(nil)
	n := 0
	permute(changes, func(order [][]byte) {
		if n++; n%proof.Size(1, 4) != 0 {
			return
		}
		user := "reed" + strconv.Itoa(n)
		for _, record := range order {
			w.deliver(f, 1, renamed(record, user), renamed(record, user))
		}
	})
	if n != 24 {
		t.Fatalf("%d orders, want 24", n)
	}
	w.wantTotals(map[string]int{})
}

func renamed(record []byte, user string) []byte {
	return []byte(strings.ReplaceAll(string(record), `"reed"`, strconv.Quote(user)))
}

func permute(list [][]byte, visit func([][]byte)) {
	var step func(int)
	step = func(k int) {
		if k == len(list) {
			visit(list)
			return
		}
		for i := k; i < len(list); i++ {
			list[k], list[i] = list[i], list[k]
			step(k + 1)
			list[k], list[i] = list[i], list[k]
		}
	}
	step(0)
}

func TestExpiredScoresStayIfToldSo(t *testing.T) {
	w := newWorld(t)
	f := w.function(nil, "SUBTRACT_EXPIRED", "false")
	w.deliver(f, 10, insert("reed", 1, "2"), insert("reed", 2, "5"), remove("reed", 1, 10, "2", true), remove("reed", 2, 10, "5", false))
	w.wantTotals(map[string]int{"reed": 2})
}

func TestOtherTablesAreSkipped(t *testing.T) {
	w := newWorld(t)
	key := consumertest.Item{"Id": consumertest.S("x")}
	other := consumertest.Change{Table: "Orders", Time: at(1), Keys: key, New: key}.Record()
	w.deliver(w.function(nil), 10, other, insert("reed", 1, "2"))
	w.wantTotals(map[string]int{"reed": 2})
	if len(w.letters) != 0 {
		t.Errorf("dead letters %v, want none: a change of another table is none of ours", w.letters)
	}
}

func TestBadScores(t *testing.T) {
	key, image := event("reed", 9, "0")
	with := func(score consumertest.Value) []byte {
		bad := consumertest.Item{gametest.AttrUser: image[gametest.AttrUser], gametest.AttrTimestamp: image[gametest.AttrTimestamp]}
		if score != nil {
			bad[gametest.AttrScore] = score
		}
		return consumertest.Change{Table: gametest.ScoreTable, Time: at(9), Keys: key, New: bad}.Record()
	}
	for name, bad := range map[string][]byte{
		"missing":          with(nil),
		"a string":         with(consumertest.S("7")),
		"no number":        with(consumertest.N("seven")),
		"empty":            with(consumertest.N("")),
		"too many digits":  with(consumertest.N(strings.Repeat("1", 39))),
		"too large":        with(consumertest.N("1e126")),
		"not a number":     with(consumertest.N("NaN")),
		"hexadecimal":      with(consumertest.N("0x10")),
		"truncated record": insert("reed", 9, "5")[:200],
		"no JSON":          []byte("scores!"),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.deliver(w.function(nil), 10, insert("reed", 1, "2"), bad, insert("reed", 2, "5"), insert("maggy", 3, "1"))
			w.wantTotals(map[string]int{"reed": 7, "maggy": 1})
			if len(w.letters) != 1 {
				t.Fatalf("%d dead letters, want 1", len(w.letters))
			}
			t.Logf("%s: %s", w.letters[0].Reason, w.letters[0].Error)
			if w.letters[0].Position.SequenceNumber != consumertest.SequenceNumber(2) {
				t.Errorf("dead letter stood at %s, want 2", w.letters[0].Position.SequenceNumber)
			}
		})
	}
}

// A 38-digit score is exact; one that the total has no room for is rejected.
func TestLongScores(t *testing.T) {
	long := "12345678901234567890123456789012345678"
	w := newWorld(t)
	w.deliver(w.function(nil), 10, insert("reed", 1, long), insert("reed", 2, "1"), insert("maggy", 3, "0."+long[1:]))
	if got, want := w.totals()["reed"].String(), "12345678901234567890123456789012345679"; got != want {
		t.Errorf("total %s, want %s", got, want)
	}
	w.deliver(w.function(nil), 10, insert("maggy", 4, long))
	if len(w.letters) != 1 || w.letters[0].Reason != consumer.Invalid {
		t.Errorf("dead letters %v, want one for the total that would need 75 digits", w.letters)
	}
}

// An item of 400 KB, the largest that DynamoDB holds.
func TestLargeItem(t *testing.T) {
	w := newWorld(t)
	key, image := event("reed", 1, "6")
	image["Replay"] = consumertest.S(strings.Repeat("x", 400<<10))
	w.deliver(w.function(nil), 10, consumertest.Change{Table: gametest.ScoreTable, Time: at(1), Keys: key, New: image}.Record())
	w.wantTotals(map[string]int{"reed": 6})
}

func TestBatchOf10000(t *testing.T) {
	w := newWorld(t)
	want := map[string]int{}
	var records [][]byte
	for n := range proof.Size(10_000, 1_000) {
		user := fmt.Sprintf("player-%d", n%50)
		records = append(records, insert(user, n, strconv.Itoa(n%10)))
		want[user] += n % 10
	}
	if done := w.invoke(w.function(nil), records); done != len(records) {
		t.Errorf("%d of %d records done", done, len(records))
	}
	w.wantTotals(want)
}

// The destination is down for a while: nothing is lost, nothing becomes a dead
// letter, and once it is back everything counts once.
func TestDestinationDownForAWhile(t *testing.T) {
	w := newWorld(t)
	down := true
	f := w.function(func(wire.Call) wire.Fault {
		if down {
			return wire.LostRequest
		}
		return wire.None
	})
	records := [][]byte{insert("reed", 1, "2"), insert("maggy", 2, "3")}
	for range 5 {
		if done := w.invoke(f, records); done != 0 {
			t.Fatalf("%d records done while the destination is down", done)
		}
	}
	down = false
	w.deliver(f, 10, records...)
	w.wantTotals(map[string]int{"reed": 2, "maggy": 3})
	if len(w.letters) != 0 {
		t.Errorf("dead letters %v, want none", w.letters)
	}
}

// One player's item can't be written; the others' of the same batch go on.
func TestOnePlayerFailsAlone(t *testing.T) {
	w := newWorld(t)
	f := w.function(func(c wire.Call) wire.Fault {
		if bytes.Contains(c.Body, []byte(`"reed"`)) {
			return wire.Throttle
		}
		return wire.None
	})
	batch := [][]byte{insert("maggy", 1, "3"), insert("reed", 2, "2"), insert("wesley", 3, "4")}
	if done := w.invoke(f, batch); done != 1 {
		t.Errorf("%d records done before the first failure, want 1", done)
	}
	w.wantTotals(map[string]int{"maggy": 3, "wesley": 4})
}

// Two instances of the function at once, each with everything, shuffled and
// repeated, in batches of any size, over a wire that throttles, fails and loses
// requests and answers.
func TestExactUnderFaults(t *testing.T) {
	for range proof.Size(12, 3) {
		seed := rand.Uint64()
		t.Run("", func(t *testing.T) {
			t.Parallel()
			t.Logf("seed %d", seed)
			random := rand.New(rand.NewPCG(seed, 0))
			records, want := history(random, 5, 60)
			faulty := faults(seed, 0.3)
			var instances sync.WaitGroup
			shared := newWorld(t)
			for range 2 {
				w := *shared // its own sequence numbers and dead letters
				order := slices.Concat(records, records[:len(records)/4])
				random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
				f, size := w.function(faulty), random.IntN(len(order))+1
				instances.Go(func() { w.deliver(f, size, order...) })
			}
			instances.Wait()
			shared.wantTotals(want)
		})
	}
}

// history is a random history of the score table: what the stream carries of
// it, and what each player's total is in the end.
func history(random *rand.Rand, players, turns int) (records [][]byte, want map[string]int) {
	want = map[string]int{}
	for turn := range turns {
		user := fmt.Sprintf("player-%d", random.IntN(players))
		score := random.IntN(10)
		records = append(records, insert(user, turn*10, strconv.Itoa(score)))
		if random.IntN(3) == 0 {
			after := random.IntN(10)
			records = append(records, modify(user, turn*10, 3, strconv.Itoa(score), strconv.Itoa(after)))
			score = after
		}
		if random.IntN(4) == 0 {
			records = append(records, remove(user, turn*10, 6, strconv.Itoa(score), random.IntN(2) == 0))
			score = 0
		}
		want[user] += score
	}
	return records, want
}

// faults lets a share of the calls go wrong, in any way that leaves the function alive.
func faults(seed uint64, share float64) func(wire.Call) wire.Fault {
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(seed, 1))
	return func(wire.Call) wire.Fault {
		mu.Lock()
		defer mu.Unlock()
		if random.Float64() >= share {
			return wire.None
		}
		return []wire.Fault{wire.Throttle, wire.ServerError, wire.LostRequest, wire.LostAnswer}[random.IntN(4)]
	}
}

// The handler that most people write: add the new score, remember nothing. The
// tests above must be able to tell it from an exact one.
func TestPlainAddIsCaught(t *testing.T) {
	for name, records := range map[string][][]byte{
		"a repeated insert": {insert("reed", 1, "2"), insert("reed", 1, "2")},
		"a modify":          {insert("reed", 1, "2"), modify("reed", 1, 10, "2", "2")},
		"a remove":          {insert("reed", 1, "2"), remove("reed", 1, 10, "2", false), insert("reed", 2, "2")},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.deliver(w.handler(&plainAdd{w.direct}), 10, records...)
			if got := w.totals()["reed"].String(); got != "4" {
				t.Errorf("plain ADD makes it %s; it should be wrong with 4 where 2 is right", got)
			}
		})
	}
}

// plainAdd is the handler of document 000.
type plainAdd struct{ client *dynamodb.Client }

func (p *plainAdd) ApplyBatch(ctx context.Context, batch []*change.Change) []error {
	errs := make([]error, len(batch))
	for i, c := range batch {
		if !c.New.Exists() {
			continue
		}
		user, _ := c.Keys.String(gametest.AttrUser)
		score, err := c.New.Number(gametest.AttrScore)
		if err != nil {
			errs[i] = err
			continue
		}
		_, errs[i] = p.client.UpdateItem(ctx, plainAddition(user, score))
	}
	return errs
}

// plainAddition is the plain ADD of a score.
func plainAddition(user, score string) *dynamodb.UpdateItemInput {
	return &dynamodb.UpdateItemInput{
		TableName:                aws.String(gametest.BoardTable),
		Key:                      map[string]types.AttributeValue{gametest.AttrUser: &types.AttributeValueMemberS{Value: user}},
		UpdateExpression:         aws.String("ADD #score :score SET #shard = :shard"),
		ExpressionAttributeNames: map[string]string{"#score": gametest.AttrScore, "#shard": gametest.AttrShard},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":score": &types.AttributeValueMemberN{Value: score},
			":shard": &types.AttributeValueMemberN{Value: strconv.Itoa(len(user) % gametest.Shards)},
		},
	}
}

func TestSettingsNameEveryFault(t *testing.T) {
	_, err := New(nil, gametest.Declarations(), Settings{Horizon: time.Hour})
	if err == nil {
		t.Fatal("settings without anything are valid")
	}
	for _, name := range []string{"LEDGER_TABLE", "HORIZON"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("the error doesn't name %s:\n%v", name, err)
		}
	}
}
