package simulator

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"pgregory.net/rapid"

	"sluice/shared/consumertest"
)

// Workload says what the items of the source table look like. The kit draws
// their histories: puts, removes, items that come back, deletes by time to live.
type Workload struct {
	Table string
	// TableOf returns the table of the items that start in a group, for consumers that follow several tables; nil: all are
	// in Table. No two tables have items with the same keys.
	TableOf func(group int) string
	// Groups is how many groups there are, numbered from 0; 3 if it is 0. What
	// a group is, the author knows: a player, a tenant, nothing.
	Groups int
	// Key returns the keys of the n-th item that starts in a group.
	Key func(group, n int) consumertest.Item
	// Attributes draws what a put writes beside the keys. group is where the
	// item started; an item moves when Attributes draws another group into it.
	Attributes func(draw *rapid.T, group int) consumertest.Item
	// Burst is how many items at most are put into a group at one go, all with
	// the same attributes; 0: there are no bursts. It should be well above what
	// the consumer remembers of one group, so that it has to forget.
	Burst int
}

// Numbers draws decimal texts: mostly small ones, some negative, some broken,
// some of 38 digits.
func Numbers() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.Map(rapid.IntRange(1, 9), func(n int) string { return fmt.Sprint(n) }),
		rapid.Map(rapid.IntRange(-1000, 1000), func(n int) string { return fmt.Sprint(n) }),
		rapid.SampledFrom([]string{"0.1", "-0.000001", "1e3", "-9999999999999999999999999999999999.9999", "12345678901234567890123456789012345678"}),
	)
}

// Names draws texts: plain, empty-looking, with quotes and beyond ASCII.
func Names() *rapid.Generator[string] {
	return rapid.SampledFrom([]string{"a", "b", " ", `"`, `\u0000`, "ünï", "日本", "🦦", "e\u0301", "#/|:"})
}

// Bytes draws binary values.
func Bytes() *rapid.Generator[[]byte] {
	return rapid.SampledFrom([][]byte{{1}, {0}, {0xff, 0xfe}, []byte("{}"), []byte("AQ==")})
}

// EveryType returns values of every type of DynamoDB's, with the borders of each.
func EveryType() []consumertest.Value {
	return []consumertest.Value{
		consumertest.S(""), consumertest.S("ünï 🦦 \u0000\"\n"), consumertest.B(nil), consumertest.B([]byte{0, 0xff}),
		consumertest.N("99999999999999999999999999999999999999e87"), consumertest.N("-1.2345678901234567890123456789012345678e-92"), consumertest.N("0"),
		{"BOOL": true}, {"BOOL": false}, {"NULL": true},
		{"SS": []string{"", "a", "ä"}}, {"NS": []string{"1", "-2.5", "12345678901234567890123456789012345678"}},
		{"BS": []any{consumertest.B([]byte{1})["B"], consumertest.B([]byte{0, 0xff})["B"]}},
		{"L": []consumertest.Value{}}, {"M": consumertest.Item{}},
		{"L": []consumertest.Value{consumertest.S("x"), {"NULL": true}, {"L": []consumertest.Value{consumertest.N("1")}}}},
	}
}

// write is one write to the table as it was drawn.
type write struct {
	kind   writeKind
	group  int
	item   int
	count  int // of a burst
	gap    time.Duration
	spaced bool // whether the items of a burst have times of their own
	milli  bool // the stream's precision is switched before this write
	put    consumertest.Item
}

type writeKind uint8

const (
	put writeKind = iota
	remove
	expire
	burst
)

// itemsInGroup is how many items of a group are written again and again.
const itemsInGroup = 3

func (w Workload) groups() int { return cmp.Or(w.Groups, 3) }

func (w Workload) drawWrite(t *rapid.T) write {
	kinds := []writeKind{put, put, put, remove, remove, expire}
	if w.Burst > 0 {
		kinds = append(kinds, burst, burst, burst)
	}
	o := write{
		kind:  rapid.SampledFrom(kinds).Draw(t, "kind"),
		group: rapid.IntRange(0, w.groups()-1).Draw(t, "group"),
		gap:   rapid.SampledFrom([]time.Duration{time.Second, time.Microsecond, 0, time.Millisecond, time.Hour}).Draw(t, "gap"),
		milli: rapid.IntRange(0, 9).Draw(t, "switch precision") == 9,
	}
	switch o.kind {
	case put:
		o.item = rapid.IntRange(0, itemsInGroup-1).Draw(t, "item")
		o.put = w.Attributes(t, o.group)
	case remove, expire:
		o.item = rapid.IntRange(0, itemsInGroup-1).Draw(t, "item")
	case burst:
		o.count = rapid.OneOf(rapid.IntRange(1, min(5, w.Burst)), rapid.IntRange((w.Burst+1)/2, w.Burst)).Draw(t, "count")
		o.spaced = rapid.Bool().Draw(t, "spaced")
		o.put = w.Attributes(t, o.group)
	}
	return o
}

// table plays the writes and notes the changes that they make.
type table struct {
	workload Workload
	items    map[string]consumertest.Item // by key
	last     map[string]time.Time
	added    []int // by group: how many items bursts have put there
	now      time.Time
	milli    bool
	changes  []consumertest.Change
}

// historyStart leaves an hour of gaps for each write before Arrival.
var historyStart = consumertest.Arrival.Add(-72 * time.Hour)

// history returns the changes that the writes make, in the order of the stream.
func (w Workload) history(writes []write) []consumertest.Change {
	t := &table{workload: w, items: map[string]consumertest.Item{}, last: map[string]time.Time{}, added: make([]int, w.groups()), now: historyStart}
	for _, o := range writes {
		if o.milli {
			t.milli = !t.milli
		}
		t.now = t.now.Add(o.gap)
		switch o.kind {
		case put:
			t.write(o.group, w.Key(o.group, o.item), o.put, false)
		case remove, expire:
			t.write(o.group, w.Key(o.group, o.item), nil, o.kind == expire)
		case burst:
			for range o.count {
				t.write(o.group, w.Key(o.group, itemsInGroup+t.added[o.group]), o.put, false)
				t.added[o.group]++
				if o.spaced {
					t.now = t.now.Add(time.Microsecond)
				}
			}
		}
	}
	return t.changes
}

// write puts an item, or removes it if attributes is nil. A write that changes
// nothing makes no change, as in DynamoDB.
func (t *table) write(group int, key, attributes consumertest.Item, ttl bool) {
	id := consumertest.Change{Keys: key}.Key()
	old := t.items[id]
	var image consumertest.Item
	if attributes != nil {
		image = maps.Clone(attributes)
		maps.Copy(image, key)
	}
	if reflect.DeepEqual(old, image) {
		return
	}
	at := t.tick(id)
	table := t.workload.Table
	if t.workload.TableOf != nil {
		table = t.workload.TableOf(group)
	}
	t.changes = append(t.changes, consumertest.Change{Table: table, Time: at, Milliseconds: t.milli, TTL: ttl, Keys: key, New: image, Old: old})
	t.items[id], t.last[id] = image, at
	if image == nil {
		delete(t.items, id)
	}
}

// tick returns the time of a change: that of two changes of one item differs,
// that of two items may be the same.
func (t *table) tick(id string) time.Time {
	at, unit := t.now, time.Microsecond
	if t.milli {
		at, unit = at.Add(time.Millisecond-1).Truncate(time.Millisecond), time.Millisecond
	}
	if last := t.last[id]; !at.After(last) {
		at = last.Add(unit)
		if t.milli {
			at = at.Truncate(time.Millisecond)
		}
	}
	return at
}

// Items returns the items that the changes leave, by the text of their keys:
// what a copy of the table should hold. The changes may come in any order.
func Items(changes []consumertest.Change) map[string]consumertest.Item {
	sorted := slices.Clone(changes)
	slices.SortStableFunc(sorted, func(a, b consumertest.Change) int { return a.Written().Compare(b.Written()) })
	items := map[string]consumertest.Item{}
	for _, c := range sorted {
		items[c.Key()] = c.New
		if c.New == nil {
			delete(items, c.Key())
		}
	}
	return items
}
