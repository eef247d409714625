package change

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
)

// parse makes a change whose dynamodb member is filled in.
func parse(t testing.TB, kind, table, body string) *Change {
	t.Helper()
	c, err := Parse(fmt.Appendf(nil, `{"eventName":%q,"tableName":%q,"dynamodb":{%s}}`, kind, table, body))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const microseconds = `"ApproximateCreationDateTime":1720740233012995,"ApproximateCreationDateTimePrecision":"MICROSECOND",`

func TestItemKey(t *testing.T) {
	key := func(table, keys string) string {
		return parse(t, "INSERT", table, microseconds+`"Keys":`+keys+`,"NewImage":{}`).ItemKey()
	}
	same := [][2]string{
		{`{"a":{"S":"1"},"b":{"N":"2"}}`, `{"b":{"N":"2"},"a":{"S":"1"}}`},
		{`{"a":{"N":"1"}}`, `{"a":{"N":"1.0"}}`},
		{`{"a":{"N":"100"}}`, `{"a":{"N":"1E+2"}}`},
		{`{"a":{"N":"0"}}`, `{"a":{"N":"-0.00e7"}}`},
		{`{"a":{"N":"1E125"}}`, `{"a":{"N":"10e124"}}`},
		{`{"a":{"N":"0.00120"}}`, `{"a":{"N":"12E-4"}}`},
		{`{"a":{"S":"\u0041"}}`, `{"a":{"S":"A"}}`},
	}
	for _, s := range same {
		if x, y := key("t", s[0]), key("t", s[1]); x != y {
			t.Errorf("one item, two keys: %s is %q, %s is %q", s[0], x, s[1], y)
		}
	}
	different := map[string]string{}
	for _, d := range [][2]string{
		{"t", `{"a":{"S":"1"}}`}, {"u", `{"a":{"S":"1"}}`}, {"t", `{"b":{"S":"1"}}`}, {"t", `{"a":{"S":"2"}}`},
		{"t", `{"a":{"N":"1"}}`}, {"t", `{"a":{"N":"-1"}}`}, {"t", `{"a":{"N":"10"}}`}, {"t", `{"a":{"N":"1E-1"}}`},
		{"t", `{"a":{"B":"` + "TVE9PQ==" + `"}}`}, // "1" as bytes
		{"t", `{"a":{"S":"1"},"b":{"S":"1"}}`}, {"t", `{"a":{"S":"1b"},"b":{"S":""}}`}, {"t", `{"a":{"S":""},"b":{"S":"1"}}`},
		{"t1", `{"a":{"S":"1"}}`}, {"t", `{"1a":{"S":"1"}}`}, {"t", `{"a":{"S":"1:b"}}`}, {"t", `{"a":{"S":"11:bS1:1"}}`},
		{"t", `{"a":{"N":"12345678901234567890123456789012345678"}}`}, {"t", `{"a":{"N":"12345678901234567890123456789012345679"}}`},
		{"t", `{"a":{"N":"9007199254740993"}}`}, {"t", `{"a":{"N":"9007199254740992"}}`},
	} {
		k := key(d[0], d[1])
		if other, taken := different[k]; taken {
			t.Errorf("two items, one key %q: %s and %s", k, other, d)
		}
		different[k] = fmt.Sprint(d)
	}
}

func TestID(t *testing.T) {
	const keys = `"Keys":{"a":{"S":"1"},"b":{"N":"2"}},`
	us := func(time int, body string) string {
		return fmt.Sprintf(`"ApproximateCreationDateTime":%d,"ApproximateCreationDateTimePrecision":"MICROSECOND",`, time) + body
	}
	ms := func(body string) string { return `"ApproximateCreationDateTime":1720740233012,` + body }
	id := func(kind, body string) ID { return parse(t, kind, "t", body).ID() }

	first := id("INSERT", us(1720740233012995, keys+`"NewImage":{"x":{"S":"1"}}`))
	if got, want := first.String(), "061d010e56e703dafb3ce5e5"; got != want {
		t.Errorf("the ID is %s, was %s: stored ones would no longer match", got, want)
	}
	if first != id("INSERT", us(1720740233012995, `"NewImage":{"x":{"S":"2"}},"Keys":{"b":{"N":"2.0"},"a":{"S":"\u0031"}}`)) {
		t.Error("how keys are written must not matter, nor the images where the time is exact")
	}
	if first == id("MODIFY", us(1720740233012995, keys+`"NewImage":{},"OldImage":{}`)) {
		t.Error("the kind must matter")
	}
	if first == id("INSERT", us(1720740233012995, `"Keys":{"a":{"S":"1"},"b":{"N":"3"}},"NewImage":{}`)) {
		t.Error("the item must matter")
	}
	later := id("INSERT", us(1720740233012996, keys+`"NewImage":{}`))
	if bytes.Compare(first[:], later[:]) >= 0 || later.Time() != 1720740233012996 {
		t.Errorf("%s of a later change doesn't sort after %s", later, first)
	}

	old := `,"OldImage":{"y":{"N":"1"},"x":{"SS":["a","b"]}}`
	base := id("MODIFY", ms(keys+`"NewImage":{"y":{"N":"10"},"x":{"SS":["b","a"]},"m":{"M":{"p":{"NULL":true},"q":{"L":[{"N":"1"},{"N":"2"}]}}}}`+old))
	if got, want := base.String(), "061d010e56e3205608633d53"; got != want {
		t.Errorf("the ID is %s, was %s: stored ones would no longer match", got, want)
	}
	if base != id("MODIFY", ms(keys+`"NewImage":{"m":{"M":{"q":{"L":[{"N":"1.0"},{"N":"2"}]},"p":{"NULL":true}}},"x":{"SS":["a","b"]},"y":{"N":"1E1"}}`+old)) {
		t.Error("the order of a map's and set's members, and how a number is written, must not matter")
	}
	for _, image := range []string{
		`{"y":{"N":"11"},"x":{"SS":["b","a"]},"m":{"M":{"p":{"NULL":true},"q":{"L":[{"N":"1"},{"N":"2"}]}}}}`,
		`{"y":{"N":"10"},"x":{"SS":["b","a"]},"m":{"M":{"p":{"NULL":true},"q":{"L":[{"N":"2"},{"N":"1"}]}}}}`,
		`{"y":{"N":"10"},"x":{"SS":["b","a"]},"m":{"M":{"q":{"NULL":true},"p":{"L":[{"N":"1"},{"N":"2"}]}}}}`,
		`{"y":{"S":"10"},"x":{"SS":["b","a"]},"m":{"M":{"p":{"NULL":true},"q":{"L":[{"N":"1"},{"N":"2"}]}}}}`,
		`{"y":{"N":"10"},"x":{"L":[{"S":"b"},{"S":"a"}]},"m":{"M":{"p":{"NULL":true},"q":{"L":[{"N":"1"},{"N":"2"}]}}}}`,
		`{"y":{"N":"10"},"x":{"SS":["b","a"]},"m":{"M":{"p":{"BOOL":false},"q":{"L":[{"N":"1"},{"N":"2"}]}}}}`,
	} {
		if base == id("MODIFY", ms(keys+`"NewImage":`+image+old)) {
			t.Errorf("another new image, the same ID: %s", image)
		}
	}
}

func TestAccessors(t *testing.T) {
	c := parse(t, "INSERT", "t", microseconds+`"Keys":{"k":{"S":"1"}},"NewImage":{"s":{"S":"x"},"n":{"N":"1.50"},"b":{"B":"RWdJSWV3PT0="},"t":{"BOOL":true},"e":{"S":""}}`)
	for _, a := range []struct {
		name string
		want Type
		read func(Image, string) (any, error)
		good any
	}{
		{"s", S, func(m Image, n string) (any, error) { return m.String(n) }, "x"},
		{"e", S, func(m Image, n string) (any, error) { return m.String(n) }, ""},
		{"n", N, func(m Image, n string) (any, error) { return m.Number(n) }, "1.50"},
		{"b", B, func(m Image, n string) (any, error) { v, err := m.Bytes(n); return string(v), err }, "\x12\x02\x08\x7b"},
		{"t", BOOL, func(m Image, n string) (any, error) { return m.Bool(n) }, true},
	} {
		if got, err := a.read(c.New, a.name); err != nil || got != a.good {
			t.Errorf("%s: %v, %v, want %v", a.name, got, err, a.good)
		}
		var wrong *AttributeError
		if _, err := a.read(c.New, "absent"); !errors.Is(err, ErrMissing) || !errors.As(err, &wrong) || *wrong != (AttributeError{"absent", a.want, 0}) {
			t.Errorf("%s of an absent attribute: %v", a.want, err)
		}
		if _, err := a.read(c.Old, a.name); !errors.Is(err, ErrMissing) {
			t.Errorf("%s of an absent image: %v", a.want, err)
		}
		other, got := "n", N
		if a.want == N {
			other, got = "s", S
		}
		if _, err := a.read(c.New, other); errors.Is(err, ErrMissing) || !errors.As(err, &wrong) || *wrong != (AttributeError{other, a.want, got}) {
			t.Errorf("%s of type %s: %v", a.want, got, err)
		}
	}
}

func TestZeroValues(t *testing.T) {
	var m Image
	var v Value
	if m.Exists() || m.Len() != 0 || m.AttributeValues() != nil || v.AttributeValue() != nil || string(m.AppendJSON(nil)) != "null" {
		t.Error("the zero Image or Value isn't absent")
	}
	for range m.All() {
		t.Error("the zero Image has attributes")
	}
	for range v.List() {
		t.Error("the zero Value has members")
	}
	if v.Type() != 0 || v.Text() != "" || v.Bytes() != nil || v.Bool() || v.Len() != 0 {
		t.Error("the zero Value isn't empty")
	}
}

// What was taken from a change stays as it was when its Decoder goes on.
func TestTakenValuesStay(t *testing.T) {
	var d Decoder
	payload := envelopeOf(goodRecord(t, "all-types"), goodRecord(t, "unicode-and-escapes"))
	records, err := d.Decode(payload)
	if err != nil {
		t.Fatal(err)
	}
	type taken struct{ texts, copies []string }
	var kept taken
	keep := func(s string) { kept.texts, kept.copies = append(kept.texts, s), append(kept.copies, strings.Clone(s)) }
	for _, r := range records {
		for _, s := range []string{r.SequenceNumber, r.PartitionKey, r.ShardID, r.StreamARN, r.Change.Table, r.Change.Region, r.Change.EventID} {
			keep(s)
		}
		for name, v := range r.Change.New.All() {
			keep(name)
			keep(v.Text())
		}
	}
	clear(payload) // as its owner may: aws-lambda-go reads the next payload into the same buffer
	if _, err := d.Decode(envelopeOf(goodRecord(t, "numbers"), goodRecord(t, "nested"), goodRecord(t, "modify"))); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Decode(envelopeOf(goodRecord(t, "empty-values"))); err != nil {
		t.Fatal(err)
	}
	for i := range kept.texts {
		if kept.texts[i] != kept.copies[i] {
			t.Errorf("%q became %q", kept.copies[i], kept.texts[i])
		}
	}
}

// One bad record spoils neither its neighbours nor the next batch.
func TestBadRecordAmongGood(t *testing.T) {
	good := goodRecord(t, "modify")
	want := ""
	var d Decoder
	each(t, "bad", func(t *testing.T, _ string, bad []byte) {
		for range 2 {
			records, err := d.Decode(envelopeOf(good, bad, good))
			if err != nil || len(records) != 3 {
				t.Fatalf("%d records, %v", len(records), err)
			}
			if records[1].Err == nil || records[1].Change != nil {
				t.Fatalf("the bad record is %+v", records[1].Change)
			}
			for _, i := range []int{0, 2} {
				if records[i].Err != nil {
					t.Fatal(records[i].Err)
				}
				got := describe(records[i].Change)
				if want == "" {
					want = got
				}
				if got != want {
					t.Errorf("record %d reads\n%s\nwant\n%s", i, got, want)
				}
			}
		}
	})
}

// Any number of goroutines may read one change. Run with -race.
func TestConcurrentReads(t *testing.T) {
	c, err := Parse(goodRecord(t, "unicode-and-escapes"))
	if err != nil {
		t.Fatal(err)
	}
	want := describe(c)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if got := describe(c); got != want {
				t.Errorf("got\n%s", got)
			}
		})
	}
	wg.Wait()
}

// A warm Decoder allocates for the batch, nothing for a change, and reading allocates nothing.
func TestAllocations(t *testing.T) {
	var data [][]byte
	for range 100 {
		data = append(data, goodRecord(t, "all-types"), goodRecord(t, "unicode-and-escapes"), goodRecord(t, "modify"))
	}
	payload := envelopeOf(data...)
	var d Decoder
	buf := make([]byte, 0, 1<<12)
	allocs := testing.AllocsPerRun(20, func() {
		records, err := d.Decode(payload)
		if err != nil {
			t.Fatal(err)
		}
		for i := range records {
			c := records[i].Change
			c.ID()
			buf = c.New.AppendJSON(buf[:0])
			for _, v := range c.New.All() {
				_, _ = v.Text(), v.Bytes()
			}
		}
	})
	if allocs > 3 {
		t.Errorf("%v allocations for a batch of %d changes", allocs, len(data))
	}
}

// After a large batch a small one must not keep the large one's data in memory, and stale changes must not shine through.
func TestBatchSizesVary(t *testing.T) {
	var d Decoder
	full, bare := goodRecord(t, "ttl-lower"), goodRecord(t, "no-hints")
	for _, n := range []int{1, 50, 3, 0, 7, 200, 2} {
		data := make([][]byte, n)
		for i := range data {
			if data[i] = full; i%2 == n%2 {
				data[i] = bare
			}
		}
		records, err := d.Decode(envelopeOf(data...))
		if err != nil || len(records) != n {
			t.Fatalf("%d records of %d, %v", len(records), n, err)
		}
		for i, r := range records {
			alone, err := Parse(data[i])
			if err != nil {
				t.Fatal(err)
			}
			if describe(r.Change) != describe(alone) {
				t.Errorf("record %d of %d reads\n%s\nalone\n%s", i, n, describe(r.Change), describe(alone))
			}
		}
		for i, c := range d.changes[:cap(d.changes)][n:] {
			if c != (Change{}) {
				t.Fatalf("change %d after a batch of %d still holds %+v", n+i, n, c)
			}
		}
	}
}

// Names that differ but have one hash are no repetition, and a repetition is found among few attributes and among many.
func TestRepeatedNames(t *testing.T) {
	hashes := map[uint32]string{}
	var one, other string
	for i := 0; one == ""; i++ {
		name := fmt.Sprintf("attribute %d", i)
		h := hashName([]byte(name))
		if hashes[h] != "" {
			one, other = hashes[h], name
		}
		hashes[h] = name
	}
	for _, n := range []int{0, 5, 13, 14, 15, 16, 17, 40} {
		var image strings.Builder
		fmt.Fprintf(&image, `{%q:{"S":""},%q:{"M":{%q:{"NULL":true}}}`, one, other, one)
		for i := range n {
			fmt.Fprintf(&image, `,"%d":{"N":"%d"}`, i, i)
		}
		body := microseconds + `"Keys":{"k":{"S":"1"}},"NewImage":` + image.String()
		c := parse(t, "INSERT", "t", body+"}")
		if c.New.Len() != n+2 {
			t.Errorf("%d attributes, want %d", c.New.Len(), n+2)
		}
		for _, again := range []string{one, other} {
			if _, err := Parse(fmt.Appendf(nil, `{"eventName":"INSERT","tableName":"t","dynamodb":{%s,%q:{"S":""}}}}`, body, again)); err == nil {
				t.Errorf("%q stands twice among %d attributes, and nobody minds", again, n+3)
			}
		}
	}
}
