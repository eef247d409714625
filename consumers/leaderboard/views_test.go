package leaderboard

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"sluice/consumers/leaderboard/boards"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/gametest"
	"sluice/shared/consumertest/proof"
	"sluice/shared/consumertest/wire"
	"sluice/shared/operate"
	"sluice/shared/verify"
)

// activity is one state of an activity in the pet tracker.
func activity(id int, pet, timestamp, kind string) consumertest.Item {
	return consumertest.Item{
		"PK": consumertest.S("ACTIVITY#" + strconv.Itoa(id)), "SK": consumertest.S("ACTIVITY"), "entityType": consumertest.S("ACTIVITY"),
		"petId": consumertest.S(pet), "timestamp": consumertest.S(timestamp), "type": consumertest.S(kind),
	}
}

// tracked is the change from one state to another; nil is no item.
func tracked(at int, before, after consumertest.Item) []byte {
	c := consumertest.Change{Table: gametest.PetTable, Time: consumertest.Arrival.Add(-time.Minute + time.Duration(at)*time.Microsecond), Old: before, New: after}
	image := after
	if after == nil {
		image = before
	}
	c.Keys = consumertest.Item{"PK": image["PK"], "SK": image["SK"]}
	return c.Record()
}

// pets reads the tracker's table: for each key the count and the last activity.
func (w *world) pets() map[string]string {
	w.t.Helper()
	out, err := w.direct.Scan(w.t.Context(), &dynamodb.ScanInput{TableName: aws.String(gametest.PetTable), ConsistentRead: aws.Bool(true)})
	if err != nil {
		w.t.Fatal(err)
	}
	got := map[string]string{}
	for _, item := range out.Items {
		count, err := boards.Number(item, "activityCount")
		if err != nil {
			w.t.Error(err)
		}
		got[change.TextOf(item["PK"])+" "+change.TextOf(item["SK"])] = strings.TrimSpace(count.String() + " " + change.TextOf(item["lastActivity"]))
	}
	return got
}

func (w *world) wantPets(want map[string]string) {
	w.t.Helper()
	if diff := cmp.Diff(want, w.pets()); diff != "" {
		w.t.Errorf("the tracker's views (-want +got):\n%s", diff)
	}
}

// movingActivity is the history of one activity that moves to another pet and
// another day and comes and goes, and of a second one that stays.
func movingActivity() (records [][]byte, want map[string]string) {
	const monday, tuesday = "2024-01-15T10:00:00Z", "2024-01-16T10:00:00Z"
	walk, run := activity(1, "rex", monday, "walk"), activity(1, "max", tuesday, "run")
	nap := activity(1, "max", monday, "nap")
	return [][]byte{
			tracked(1, nil, walk), tracked(2, walk, run), tracked(3, run, nap), tracked(4, nap, nil),
			tracked(3, nil, activity(2, "max", monday, "swim")),
		}, map[string]string{
			"LEADERBOARD PET#rex": "0", "LEADERBOARD PET#max": "1",
			"PET#rex SUMMARY#2024-01-15": "0 walk", "PET#max SUMMARY#2024-01-16": "0 run",
			"PET#max SUMMARY#2024-01-15": "1 nap", // as new as swim; its id has the larger hash
		}
}

// Every order of an activity that moves between groups, each change twice. Fails
// if what leaves a group isn't subtracted, or the latest is set unconditionally.
func TestPetsInEveryOrder(t *testing.T) {
	records, want := movingActivity()
	w := newWorld(t)
	w.deliver(w.function(nil), 10, records...)
	last := "PET#max SUMMARY#2024-01-15"
	if got := w.pets()[last]; got != "1 nap" && got != "1 swim" {
		t.Fatalf("%s is %q", last, got)
	}
	want[last] = w.pets()[last] // two at one time: any, but the same one in every order
	w.wantPets(want)

	all := map[string]string{}
	f, n := w.function(nil), 0
	permute(records, func(order [][]byte) {
		if n++; n%proof.Size(1, 10) != 0 {
			return
		}
		for i := range order {
			for range 2 {
				w.deliver(f, 1, renamedPets(order[i], n))
			}
		}
		for key, value := range want {
			all[string(renamedPets([]byte(key), n))] = value
		}
	})
	for key := range want {
		all[key] = want[key]
	}
	w.wantPets(all)
}

// renamedPets makes a history of other pets out of one. Activities keep their
// ids, and so ids of changes and their order stay.
func renamedPets(text []byte, n int) []byte {
	text = bytes.ReplaceAll(text, []byte("rex"), fmt.Appendf(nil, "rex%d", n))
	return bytes.ReplaceAll(text, []byte("max"), fmt.Appendf(nil, "max%d", n))
}

// The function dies before or after any of its calls, also between the two
// groups of a change that moves an activity; then everything comes again.
func TestPetsCrashAtEveryCall(t *testing.T) {
	records, want := movingActivity()
	for _, fault := range []wire.Fault{wire.Crash, wire.CrashAfter} {
		for k := 1; ; k += proof.Size(1, 4) {
			w := newWorld(t)
			crashed := false
			dying := w.function(func(c wire.Call) wire.Fault {
				if c.N == k {
					crashed = true
					return fault
				}
				return wire.None
			})
			for _, record := range records {
				w.invoke(dying, [][]byte{record})
			}
			if !crashed {
				if k < 10 {
					t.Fatalf("only %d calls", k-1)
				}
				break
			}
			w.deliver(w.function(nil), 2, records...)
			got := w.pets()["PET#max SUMMARY#2024-01-15"]
			want["PET#max SUMMARY#2024-01-15"] = got
			if got != "1 nap" && got != "1 swim" {
				t.Errorf("the latest of two at one time is %q", got)
			}
			w.wantPets(want)
			if t.Failed() {
				t.Fatalf("after %v %d", fault, k)
			}
		}
	}
}

// The table's own views come back through the stream and change nothing.
func TestPetViewsAreNotViewed(t *testing.T) {
	w := newWorld(t)
	w.deliver(w.function(nil), 10, tracked(1, nil, activity(1, "rex", "2024-01-15", "walk")))
	before := w.pets()
	for i, item := range []consumertest.Item{
		{"PK": consumertest.S("LEADERBOARD"), "SK": consumertest.S("PET#rex"), "activityCount": consumertest.N("1")},
		{"PK": consumertest.S("PET#rex"), "SK": consumertest.S("SUMMARY#2024-01-15"), "activityCount": consumertest.N("1"), "lastActivity": consumertest.S("walk")},
	} {
		w.deliver(w.function(nil), 10, tracked(10+i, nil, item))
	}
	w.wantPets(before)
	if len(w.letters) != 0 {
		t.Errorf("dead letters %v", w.letters)
	}
}

// A change that one view has no use for counts in the others, and is one dead
// letter, which names the view. While another part has to come again, there is
// none yet: it would never come again. Fails if the first error decides.
func TestOneViewRejects(t *testing.T) {
	key := consumertest.Item{gametest.AttrUser: consumertest.S("reed"), gametest.AttrTimestamp: consumertest.S("no time")}
	image := consumertest.Item{gametest.AttrUser: key[gametest.AttrUser], gametest.AttrTimestamp: key[gametest.AttrTimestamp], gametest.AttrScore: consumertest.N("5")}
	record := consumertest.Change{Table: gametest.ScoreTable, Time: at(1), Keys: key, New: image}.Record()
	w := newWorld(t)
	down := true
	f := w.function(func(wire.Call) wire.Fault {
		if down {
			return wire.LostRequest
		}
		return wire.None
	})
	if done := w.invoke(f, [][]byte{record}); done != 0 || len(w.letters) != 0 {
		t.Fatalf("%d done and %d dead letters while the total can't be written, want none", done, len(w.letters))
	}
	down = false
	w.deliver(f, 10, record, record)
	if totals := w.totals(); totals["reed"].String() != "5" {
		t.Errorf("the total is %v; want 5", totals)
	}
	if len(w.letters) != 2 { // one a delivery
		t.Fatalf("%d dead letters, want 2", len(w.letters))
	}
	letter := w.letters[0]
	if letter.Reason != consumer.Invalid || !strings.Contains(letter.Error, "view daily:") || !strings.Contains(letter.Error, "view weekly:") || strings.Contains(letter.Error, "view leaderboard:") {
		t.Errorf("dead letter %s: %s", letter.Reason, letter.Error)
	}
}

// Scores that were really written, and corrected, over two weeks: tops of days
// and weeks, and the comparison with the source. Fails if boxes are mixed up.
func TestBoxedBoards(t *testing.T) {
	w := newWorld(t)
	var records [][]byte
	for i, s := range []struct{ user, timestamp, score string }{
		{"reed", "2025-12-31 23:59:59.999999", "9"}, {"reed", "2026-01-01 00:00:00.000000", "2"}, {"maggy", "2026-01-01 12:00:00.000001", "4"},
		{"reed", "2025-12-22 10:00:00.000000", "7"}, {"maggy", "2026-01-02 01:00:00.000000", "1"},
	} {
		key := consumertest.Item{gametest.AttrUser: consumertest.S(s.user), gametest.AttrTimestamp: consumertest.S(s.timestamp)}
		image := consumertest.Item{gametest.AttrUser: key[gametest.AttrUser], gametest.AttrTimestamp: key[gametest.AttrTimestamp], gametest.AttrScore: consumertest.N(s.score)}
		records = append(records, consumertest.Change{Table: gametest.ScoreTable, Time: at(i), Keys: key, New: image}.Record())
		if _, err := w.direct.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(gametest.ScoreTable), Item: map[string]types.AttributeValue{
			gametest.AttrUser: &types.AttributeValueMemberS{Value: s.user}, gametest.AttrTimestamp: &types.AttributeValueMemberS{Value: s.timestamp}, gametest.AttrScore: &types.AttributeValueMemberN{Value: s.score},
		}}); err != nil {
			t.Fatal(err)
		}
	}
	w.deliver(w.function(nil), 2, records...)
	for user, total := range map[string]string{"reed": "18", "maggy": "5"} { // the board's own changes
		w.deliver(w.function(nil), 2, consumertest.Change{Table: gametest.BoardTable, Time: at(9), Keys: consumertest.Item{gametest.AttrUser: consumertest.S(user)},
			New: consumertest.Item{gametest.AttrUser: consumertest.S(user), gametest.AttrScore: consumertest.N(total)}}.Record())
	}
	for _, test := range []struct {
		board, at, box string
		want           []string
	}{
		{"daily", "2026-01-01", "2026-01-01", []string{"maggy 4", "reed 2"}},
		{"daily", "2025-12-31", "2025-12-31", []string{"reed 9"}},
		{"daily", "2026-02-01", "2026-02-01", nil},
		{"weekly", "2026-01-04", "2026-W01", []string{"reed 11", "maggy 5"}},
		{"weekly", "2025-12-28", "2025-W52", []string{"reed 7"}},
	} {
		at, err := time.Parse(time.DateOnly, test.at)
		if err != nil {
			t.Fatal(err)
		}
		board := w.boardOf(test.board)
		box := board.BoxAt(at)
		best, err := board.Top(t.Context(), box, 3)
		if err != nil || box != test.box {
			t.Errorf("%s of %s is %s, %v; want %s", test.board, test.at, box, err, test.box)
		}
		var got []string
		for _, total := range best {
			got = append(got, total.Name+" "+total.Number.String())
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("top of %s: %v, want %v", box, got, test.want)
		}
	}
	w.wantCompared(consumertest.Arrival)
	// One that nobody counted shows on the three boards that it belongs to.
	w.put(gametest.ScoreTable, map[string]types.AttributeValue{
		gametest.AttrUser: &types.AttributeValueMemberS{Value: "reed"}, gametest.AttrTimestamp: &types.AttributeValueMemberS{Value: "2026-01-02 02:00:00"}, gametest.AttrScore: &types.AttributeValueMemberN{Value: "3"},
	})
	w.wantCompared(consumertest.Arrival, `view daily, Board="daily#2026-01-02" UserId="reed", Score`, `view leaderboard, UserId="reed", Score`, `view weekly, Board="weekly#2026-W01" UserId="reed", Score`)
	// Long after, the boxes are closed, and only the total is compared.
	w.wantCompared(consumertest.Arrival.AddDate(1, 0, 0), `view leaderboard, UserId="reed", Score`)
	// A player whom the table of ranks has in one bucket too many.
	w.put(gametest.RankTable, map[string]types.AttributeValue{
		gametest.AttrBoard: &types.AttributeValueMemberS{Value: "total#1"}, gametest.AttrBucket: &types.AttributeValueMemberN{Value: "20"}, gametest.AttrPlayers: &types.AttributeValueMemberN{Value: "1"},
	})
	w.wantCompared(consumertest.Arrival.AddDate(1, 0, 0), `view leaderboard, UserId="reed", Score`, `view rank-1, Board="total#1" Bucket=20, Players`)
}

// wantCompared compares all views and checks which items differ.
func (w *world) wantCompared(now time.Time, want ...string) {
	w.t.Helper()
	c := verify.New(w.direct, w.views(), DefaultHorizon, operate.Options{Segments: 2})
	c.Now = func() time.Time { return now }
	r, err := operate.Compare(w.t.Context(), c, operate.Judging{})
	if err != nil {
		w.t.Fatal(err)
	}
	var got []string
	for _, d := range r.Differences {
		got = append(got, d.Key)
	}
	if !slices.Equal(got, want) || len(r.Unjudged) > 0 {
		w.t.Errorf("%q differ, want %q: %+v", got, want, r)
	}
}

// A change to a score whose day closed long ago counts in the total alone.
func TestClosedBoxes(t *testing.T) {
	key := consumertest.Item{gametest.AttrUser: consumertest.S("reed"), gametest.AttrTimestamp: consumertest.S("2025-10-01 10:00:00")}
	image := consumertest.Item{gametest.AttrUser: key[gametest.AttrUser], gametest.AttrTimestamp: key[gametest.AttrTimestamp], gametest.AttrScore: consumertest.N("5")}
	w := newWorld(t)
	w.deliver(w.function(nil), 2, consumertest.Change{Table: gametest.ScoreTable, Time: at(1), Keys: key, New: image}.Record())
	if totals := w.totals(); totals["reed"].String() != "5" {
		t.Errorf("totals %v", totals)
	}
	out, err := w.direct.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String(gametest.BoxTable)})
	if err != nil || len(out.Items) != 0 {
		t.Errorf("boxes %v, %v; want none", out.Items, err)
	}
}

// The README's example is a file that can be used.
func TestReadmeExample(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(text), "```yaml\n")
	example, _, _ := strings.Cut(after, "```")
	views, err := Views(gametest.With(ViewsFile, "README.md", example))
	if !found || err != nil || len(views) != 1 {
		t.Errorf("%d views, %v", len(views), err)
	}
}
