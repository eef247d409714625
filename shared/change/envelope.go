package change

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"time"
	"unsafe"
)

// An envelope reads the Lambda payload around the records' data. The strings it puts into records still stand in the payload.
type envelope struct {
	scanner
	d    *Decoder
	size int // upper bound of what the records keep

	ofPayload, ofRecord, ofKinesis form
}

// Names that are read, and their places.
var (
	payloadNames       = []string{"Records"}
	payloadRecordNames = []string{"kinesis", "eventID", "eventSourceARN"}
	kinesisNames       = []string{"sequenceNumber", "partitionKey", "data", "approximateArrivalTimestamp"}
)

const kinesisData = 2

func newEnvelope(d *Decoder, payload []byte) envelope {
	return envelope{
		scanner: scanner{b: payload}, d: d,
		ofPayload: form{names: payloadNames}, ofRecord: form{names: payloadRecordNames}, ofKinesis: form{names: kinesisNames},
	}
}

// payload reads the whole payload.
func (e *envelope) payload() bool {
	return e.ofPayload.read(&e.scanner, func(int) bool { return e.list() }) && e.end() &&
		(e.ofPayload.has(0) || e.fail(0, "it has no Records"))
}

func (e *envelope) list() bool {
	more, ok := e.enter('[', ']')
	for ; more; more = e.eat(',') {
		e.d.records = append(e.d.records, Record{})
		if !e.record(&e.d.records[len(e.d.records)-1]) {
			return false
		}
	}
	return ok && e.leave(']')
}

func (e *envelope) record(r *Record) bool {
	at := e.i
	if !e.ofRecord.read(&e.scanner, func(name int) bool {
		switch name {
		case 0:
			return e.kinesis(r)
		case 1:
			return e.shard(r)
		}
		return e.stream(r)
	}) {
		return false
	}
	switch {
	case r.SequenceNumber == "":
		return e.fail(at, "a record has no kinesis.sequenceNumber")
	case r.Err == nil && !e.ofKinesis.has(kinesisData):
		r.Err = newDecodeError("the record has no data", nil, 0)
	}
	e.size += len(r.SequenceNumber) + len(r.PartitionKey) + len(r.Encoded)/4*3
	return true
}

func (e *envelope) kinesis(r *Record) bool {
	return e.ofKinesis.read(&e.scanner, func(name int) bool {
		switch name {
		case 0:
			return e.text(&r.SequenceNumber)
		case 1:
			return e.optional(r, "partitionKey", &r.PartitionKey)
		case kinesisData:
			return e.data(r)
		}
		return e.arrival(r)
	})
}

// content returns the contents of a string of the payload, which is not to be written to.
func (e *envelope) content(t text) []byte {
	b := e.b[t.start:t.end]
	if t.escaped {
		b = unescape(make([]byte, 0, len(b)), b)
	}
	return b
}

func (e *envelope) text(dst *string) bool {
	t, ok := e.str()
	if ok {
		b := e.content(t)
		*dst = unsafe.String(unsafe.SliceData(b), len(b))
	}
	return ok
}

// odd passes over a value that isn't as it should be. The record is refused for it, and no other one.
func (e *envelope) odd(r *Record, what string) bool {
	at := e.i
	if !e.skip() {
		return false
	}
	if r.Err == nil {
		r.Err = newDecodeError("the record's "+what, e.b[at:e.i], 0)
	}
	return true
}

// optional reads a string. A value of another type refuses the record.
func (e *envelope) optional(r *Record, name string, dst *string) bool {
	if e.peek() != '"' {
		return e.odd(r, name+" is no string")
	}
	return e.text(dst)
}

func (e *envelope) stream(r *Record) bool {
	var arn string
	ok := e.optional(r, "eventSourceARN", &arn)
	r.StreamARN = intern(&e.d.stream, arn)
	return ok
}

// shard reads the eventID: the shard's name, a colon, and the sequence number.
func (e *envelope) shard(r *Record) bool {
	var id string
	ok := e.optional(r, "eventID", &id)
	if name, _, found := strings.Cut(id, ":"); found {
		r.ShardID = intern(&e.d.shard, name)
	}
	return ok
}

// intern returns a text of the payload as the copy that the record before had, if that is equal.
func intern(last *string, text string) string {
	if text != *last {
		*last = strings.Clone(text)
	}
	return *last
}

// data finds the record's data. Most of a payload is data, so only its end is looked for here; decoding it
// finds whatever else is wrong with it.
func (e *envelope) data(r *Record) bool {
	if c := e.peek(); c != '"' {
		at := e.i
		if !e.skip() {
			return false
		}
		r.Encoded = e.b[at:e.i:e.i]
		if r.Err == nil {
			r.Err = newDecodeError("the record's data is no string", r.Encoded, 0)
		}
		return true
	}
	start := e.i + 1
	n := bytes.IndexByte(e.b[start:], '"')
	if n < 0 || n > 0 && e.b[start+n-1] == '\\' { // no quote, or an escaped one
		t, ok := e.str()
		if !ok {
			return false
		}
		r.Encoded = e.b[t.start:t.end:t.end]
		return true
	}
	r.Encoded = e.b[start : start+n : start+n]
	e.i = start + n + 1
	return true
}

// maxSeconds is in the year 5138. A larger number can only be of milliseconds, some writers' unit: in seconds it would be later, and
// milliseconds below it would be before March 1973.
const maxSeconds = 1e11

// arrival reads seconds since 1970 with decimals. Milliseconds, and either of them as a string, are unmistakable too. Anything else
// refuses its record alone.
func (e *envelope) arrival(r *Record) bool {
	if e.peek() == 'n' {
		return e.literal("null")
	}
	at := e.i
	var b []byte
	switch c := e.peek(); {
	case c == '"':
		t, ok := e.str()
		if !ok {
			return false
		}
		b = e.content(t)
	case c == '-' || '0' <= c && c <= '9':
		t, ok := e.number()
		if !ok {
			return false
		}
		b = e.b[t.start:t.end]
	default:
		return e.odd(r, "approximateArrivalTimestamp is no number")
	}
	if micros, ok := fixedMicros(b); ok {
		r.Arrival = time.UnixMicro(micros).UTC()
		return true
	}
	f, err := strconv.ParseFloat(string(b), 64)
	if f > maxSeconds {
		f /= 1000
	}
	if err != nil || !(f >= 0 && f <= maxSeconds) || numberLen(b) != len(b) {
		if r.Err == nil {
			r.Err = newDecodeError("the record's approximateArrivalTimestamp is no time", e.b[at:e.i], 0)
		}
		return true
	}
	r.Arrival = time.UnixMicro(int64(math.Round(f * 1e6))).UTC()
	return true
}

// fixedMicros reads seconds as Lambda writes them, with up to six decimals, and returns microseconds. Anything else isn't ok.
func fixedMicros(b []byte) (n int64, ok bool) {
	whole, decimals, _ := bytes.Cut(b, []byte("."))
	if len(whole) == 0 || len(whole) > 10 || len(decimals) > 6 || numberLen(b) != len(b) {
		return 0, false
	}
	for _, part := range [2][]byte{whole, decimals} {
		for _, c := range part {
			if c < '0' || c > '9' {
				return 0, false
			}
			n = n*10 + int64(c-'0')
		}
	}
	for range 6 - len(decimals) {
		n *= 10
	}
	return n, true
}
