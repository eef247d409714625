package replication

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/consumers/replication/internal/store"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
)

// nested returns a list within a list, so many levels in all.
func nested(levels int) string {
	return strings.Repeat(`{"L":[`, levels) + `{"S":"x"}` + strings.Repeat(`]}`, levels)
}

// A value at and past each limit of DynamoDB, beside healthy changes. Fails if a change that a
// table will never take is tried again, or holds up or costs a neighbour.
func TestLimitsOfDynamoDB(t *testing.T) {
	w := newWorld(t)
	w.create(away, tableOf("Orders", "Id", "S"))
	w.create(servertest.Region, tableOf("OpenOrders", "Id", "S"))
	text := func(n int) string { return `{"S":"` + strings.Repeat("x", n) + `"}` }
	keys := map[string]string{"empty": text(0), "1": text(1), "2047": text(2047), "2048": text(2048), "2049": text(2049), "4000": text(4000)}
	digits := strings.Repeat("9", 38)
	values := map[string]string{
		"38 digits": `{"N":"` + digits + `"}`, "39 digits": `{"N":"` + digits + `9"}`, "largest": `{"N":"9.9999999999999999999999999999999999999E+125"}`, "too large": `{"N":"1E+126"}`,
		"smallest": `{"N":"1E-130"}`, "too small": `{"N":"1E-131"}`, "minus zero": `{"N":"-0"}`,
		"empty text": `{"S":""}`, "empty binary": `{"B":""}`, "empty set": `{"SS":[]}`, "empty member": `{"SS":["","a"]}`, "twice": `{"SS":["a","a"]}`, "numbers twice": `{"NS":["1","1.0"]}`,
		"empty list": `{"L":[]}`, "empty map": `{"M":{}}`, "empty name": `{"M":{"":{"S":"x"}}}`,
		"31 levels": nested(31), "32 levels": nested(32), "33 levels": nested(33), "100 levels": nested(100),
		"398 KB": text(398 << 10), "just 400 KB": text(400<<10 - 40), "400 KB": text(400 << 10), "401 KB": text(401 << 10),
		"long name": `{"M":{"` + strings.Repeat("n", 65_536) + `":{"S":"x"}}}`, "noncharacter": `{"S":"\uffff\u0000"}`,
	}
	var records [][]byte
	var names []string
	add := func(name, key, value string) {
		image := `{"Id":` + key + `,"state":{"S":"open"},"v":` + value + `}`
		records = append(records, fmt.Appendf(nil, `{"eventName":"INSERT","tableName":"Orders","dynamodb":{"ApproximateCreationDateTime":%d,"ApproximateCreationDateTimePrecision":"MICROSECOND","Keys":{"Id":%s},"NewImage":%s}}`,
			consumertest.Arrival.UnixMicro(), key, image))
		names = append(names, name)
	}
	// Whatever type the key of one record has, and wherever in the batch it stands: see the sorted names.
	for name, key := range map[string]string{"number": `{"N":"5"}`, "binary": `{"B":"ZUE9PQ=="}`} {
		keys["of the type "+name], keys["0 of the type "+name] = key, key
	}
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		add("key "+name, keys[name], `{"S":"x"}`)
		add("healthy beside key "+name, `{"S":"beside `+name+`"}`, `{"S":"x"}`)
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		add("value "+name, `{"S":"value `+name+`"}`, values[name])
		add("healthy beside value "+name, `{"S":"beside value `+name+`"}`, `{"S":"x"}`)
	}
	var kept letters
	var logs, metrics bytes.Buffer
	h := consumer.NewHandler("replication", w.consumer(toTwo), &kept, consumer.Settings{}, slog.New(slog.NewTextHandler(&logs, nil)), &metrics)
	h.Now = func() time.Time { return consumertest.Arrival } // or what is tried again would be given up
	answer, err := h.Invoke(t.Context(), consumertest.Payload(0, records...))
	if err != nil {
		t.Fatal(err)
	}
	var failures struct {
		BatchItemFailures []struct{ ItemIdentifier string }
	}
	if err := json.Unmarshal(answer, &failures); err != nil {
		t.Fatal(err)
	}
	if len(failures.BatchItemFailures) > 0 {
		t.Errorf("healthy tables have to be asked again:\n%.2000s", logs.String())
	}
	rejected := map[string]bool{}
	for _, l := range kept {
		data, err := base64.StdEncoding.DecodeString(l.Data)
		if err != nil {
			t.Fatal(err)
		}
		for i, record := range records {
			if bytes.Equal(record, data) {
				rejected[names[i]] = true
			}
		}
	}
	for _, name := range names {
		if strings.HasPrefix(name, "healthy") && rejected[name] {
			t.Errorf("%s is a dead letter", name)
		}
	}
	for _, name := range []string{"key 0 of the type number", "key 0 of the type binary", "key of the type number", "key of the type binary", "key 2049", "key empty", "value 401 KB", "value too large"} {
		if !rejected[name] {
			t.Errorf("%s is no dead letter", name)
		}
	}
	for _, name := range []string{"key 2048", "key 1", "value 398 KB", "value 38 digits", "value empty text"} {
		if rejected[name] {
			t.Errorf("%s is a dead letter", name)
		}
	}
}

// A shared table gets one change whose key has another type, or one attribute too many, beside healthy ones. Fails if it is tried
// again, or holds up its neighbours. The home table itself says which keys are right, so no neighbour is needed.
func TestOddKeysOfSharedTable(t *testing.T) {
	w := newWorld(t)
	regions := []string{servertest.Region, away}
	for _, region := range regions {
		w.create(region, tableOf("Shared", "Id", "S"))
		w.create(region, tableOf(DefaultConflictTable, store.ConflictKey, "B", store.ConflictMark, "B"))
	}
	at := func(keys consumertest.Item) *change.Change {
		c, err := change.Parse(consumertest.Change{Table: "Shared", Time: consumertest.Arrival, Keys: keys, New: keys}.Record())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	healthy := func(id string) *change.Change { return at(consumertest.Item{"Id": consumertest.S(id)}) }
	number := at(consumertest.Item{"Id": consumertest.N("5")})
	more := at(consumertest.Item{"Id": consumertest.S("more"), "At": consumertest.S("2")})
	for _, shared := range []*Shared{
		{Name: "shared", Table: "Shared", Regions: regions},
		{Name: "shared", Table: "Shared", Regions: regions, owners: []owner{{"Id", "x", away}}},
	} {
		for _, batch := range [][]*change.Change{{number}, {number, healthy("a"), more, healthy("b")}, {more}} {
			m := newMirror(w.config, DefaultSettings(), shared, func() time.Time { return consumertest.Arrival }, func() uint64 { return 7 })
			for i, err := range m.ApplyBatch(t.Context(), batch) {
				odd := batch[i] == number || batch[i] == more
				if got := consumer.OutcomeOf(err); got == consumer.Retry || (got == consumer.Rejected) != odd || odd && !errors.Is(err, store.ErrOddKeys) {
					t.Errorf("change %d of %d, odd: %v: %v (%v)", i, len(batch), odd, got, err)
				}
			}
		}
	}
}
