package change

import (
	"bytes"
	"slices"
	"time"
	"unsafe"
)

// A Record is one Kinesis record of a Lambda payload.
type Record struct {
	SequenceNumber string
	PartitionKey   string // opaque: says nothing about the item
	ShardID        string
	StreamARN      string
	Arrival        time.Time // when the stream took it; zero if the payload didn't say
	Encoded        []byte    // the record's data as the payload has it, base64 text; part of the payload itself
	Change         *Change   // nil if Err is set
	Err            error     // why the data is no change: a *DecodeError
}

// A Decoder decodes Lambda payloads. The zero Decoder is ready. It is not for concurrent use.
//
// It keeps its structures from call to call, so records, changes, images and values are valid until its next Decode. The
// strings, bytes and SDK values taken from them stay valid as long as they are held; each keeps all data of its batch in memory.
type Decoder struct {
	arena   arena
	parser  parser
	records []Record
	changes []Change

	stream, shard string // of the last record: rarely do they change
}

// Parse decodes the data of one record, its base64 already removed. The error is a *DecodeError. It keeps no reference to data.
func Parse(data []byte) (*Change, error) {
	a := &arena{data: bytes.Clone(data)}
	var p parser
	p.reset()
	c := new(Change)
	if !p.record(a, a.data, 0, c) {
		return nil, newDecodeError(p.what, data, p.at)
	}
	a.nodes = p.nodes
	return c, nil
}

// Decode decodes the payload that Lambda hands to a consumer of a Kinesis stream, in order. Data that is no change is its
// own record's Err; the error, a *DecodeError, is for a payload of which not even the records can be told apart.
// The payload is only read; the records' Encoded are parts of it.
func (d *Decoder) Decode(payload []byte) ([]Record, error) {
	// Cleared, or a large batch would be kept in memory by the slots that the small ones after it don't use.
	clear(d.records)
	clear(d.changes)
	d.records = d.records[:0]
	e := newEnvelope(d, payload)
	if !e.payload() {
		return nil, newDecodeError("the Lambda payload is unusable: "+e.what, payload, e.at)
	}
	d.changes = slices.Grow(d.changes[:0], len(d.records))[:len(d.records)]
	// One new buffer a batch: what is taken from it stays valid.
	buf := make([]byte, 0, e.size)
	d.parser.reset()
	for i := range d.records {
		var err error
		if buf, err = d.record(buf, &d.records[i], &d.changes[i]); err != nil {
			return nil, err
		}
	}
	d.arena.data, d.arena.nodes = buf[:cap(buf)], d.parser.nodes
	return d.records, nil
}

// record decodes the data of r, appending it and what r keeps of the envelope to buf.
func (d *Decoder) record(buf []byte, r *Record, c *Change) ([]byte, error) {
	buf = keep(buf, &r.SequenceNumber)
	buf = keep(buf, &r.PartitionKey)
	if r.Err != nil {
		return buf, nil
	}
	start := len(buf)
	n, ok := decode64(buf[start:start+len(r.Encoded)/4*3], r.Encoded)
	if !ok {
		// The digits may be written with escapes, \/ for example; or what looked like a string is none, and the payload no JSON.
		s := scanner{b: slices.Concat([]byte{'"'}, r.Encoded, []byte{'"'})}
		t, valid := s.str()
		if !valid {
			return nil, newDecodeError("the Lambda payload is unusable: in the data of a record: "+s.what, r.Encoded, s.at-1)
		}
		b := s.b[t.start:t.end]
		if n, ok = decode64(buf[start:start+len(b)/4*3], unescape(b[:0], b)); !ok {
			r.Err = newDecodeError("the data is not base64", r.Encoded, 0)
			return buf, nil
		}
	}
	buf = buf[:start+n]
	p := &d.parser
	mark := len(p.nodes)
	if p.record(&d.arena, buf, start, c) {
		r.Change = c
		return buf, nil
	}
	p.nodes = p.nodes[:mark]
	data := unescape(nil, r.Encoded) // anew: parsing wrote over it
	n, _ = decode64(data, data)
	r.Err = newDecodeError(p.what, data[:n], p.at-start)
	return buf, nil
}

// keep moves a string of the payload, which its owner may use again, to the end of buf.
func keep(buf []byte, s *string) []byte {
	start := len(buf)
	buf = append(buf, *s...)
	*s = unsafe.String(unsafe.SliceData(buf[start:]), len(*s))
	return buf
}
