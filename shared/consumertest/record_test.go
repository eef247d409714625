package consumertest

import (
	"bytes"
	"testing"
	"time"

	"sluice/shared/change"
)

// The strict decoder takes what this package makes for what was meant.
func TestRecordsAreAsTheStreamWritesThem(t *testing.T) {
	key := Item{"Id": B([]byte{0x12, 0x02, 0x08, 0x7b})}
	item := func(n string) Item { return Item{"Id": key["Id"], "Name": S("ünï"), "N": N(n)} }
	at := Arrival.Add(123456 * time.Microsecond)
	changes := []Change{
		{Table: "T", Time: at, Keys: key, New: item("1")},
		{Table: "T", Time: at, Keys: key, Old: item("1"), New: item("2"), Milliseconds: true},
		{Table: "T", Time: at, Keys: key, Old: item("2"), TTL: true},
	}
	var data [][]byte
	for _, c := range changes {
		data = append(data, c.Record())
	}
	var decoder change.Decoder
	records, err := decoder.Decode(Payload(7, data...))
	if err != nil {
		t.Fatal(err)
	}
	for i, kind := range []change.Kind{change.Insert, change.Modify, change.Remove} {
		r := records[i]
		if r.Err != nil {
			t.Fatalf("record %d: %v", i, r.Err)
		}
		wantTime := at
		if changes[i].Milliseconds {
			wantTime = at.Truncate(time.Millisecond)
		}
		id, err := r.Change.Keys.Bytes("Id")
		if err != nil || !bytes.Equal(id, []byte{0x12, 0x02, 0x08, 0x7b}) {
			t.Errorf("record %d: key %x, %v", i, id, err)
		}
		if r.Change.Kind != kind || !r.Change.Time().Equal(wantTime) || r.Change.ByTTL() != changes[i].TTL ||
			r.SequenceNumber != SequenceNumber(7+i) || !r.Arrival.Equal(Arrival) {
			t.Errorf("record %d: %+v of %+v", i, r.Change, r)
		}
	}
}
