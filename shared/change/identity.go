package change

import (
	"encoding/binary"
	"encoding/hex"
	"strconv"

	"github.com/cespare/xxhash/v2"
)

// ItemKey returns one text for each item: the table and the key attributes sorted by name, with their types and values.
// Two changes have the same ItemKey if and only if they are changes of the same item; numbers compare by value (1.0 is 1).
// The text may hold any bytes. Its form is stable: it may be stored.
func (c *Change) ItemKey() string {
	var buf [256]byte
	return string(c.appendItemKey(buf[:0]))
}

// appendItemKey writes length:table, and then for each key attribute length:name, its type, length:value.
// The lengths keep apart what would otherwise run together.
func (c *Change) appendItemKey(dst []byte) []byte {
	dst = appendCounted(dst, c.Table)
	type attribute struct {
		name  string
		value Value
	}
	var keys [2]attribute
	n := 0
	for name, v := range c.Keys.All() {
		keys[n] = attribute{name, v}
		n++
	}
	if n == 2 && keys[1].name < keys[0].name {
		keys[0], keys[1] = keys[1], keys[0]
	}
	for _, k := range keys[:n] {
		dst = appendCounted(dst, k.name)
		dst = append(dst, k.value.Type().String()...)
		raw := k.value.a.bytes(k.value.i)
		if k.value.Type() == N {
			var buf [maxCanonical]byte
			raw = appendNumber(buf[:0], raw)
		}
		dst = appendCounted(dst, raw)
	}
	return dst
}

func appendCounted[T string | []byte](dst []byte, s T) []byte {
	dst = strconv.AppendInt(dst, int64(len(s)), 10)
	dst = append(dst, ':')
	return append(dst, s...)
}

// An ID identifies a change: the same change, however often and in whatever form of JSON it arrives, has the same ID, and
// different changes have different ones. It is the creation time in microseconds (7 bytes, big-endian), so IDs sort by
// time, and 5 bytes of a hash of table, item key, kind and, where the time is only in milliseconds, the images.
//
// Its form is stable: IDs are stored.
type ID [12]byte

const timeBytes = 7

// Time returns the creation time of the change in microseconds, its Version.
func (id ID) Time() int64 {
	var b [8]byte
	copy(b[8-timeBytes:], id[:timeBytes])
	return int64(binary.BigEndian.Uint64(b[:]))
}

// String returns the ID in hexadecimal.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// ID returns the identity of the change.
func (c *Change) ID() ID {
	var buf [256]byte
	b := c.appendItemKey(buf[:0])
	b = append(b, byte(c.Kind))
	if c.Precision == Millisecond {
		// Two writes of one item may share a millisecond; what they wrote tells them apart.
		b = binary.BigEndian.AppendUint64(b, c.Old.v.hash())
		b = binary.BigEndian.AppendUint64(b, c.New.v.hash())
	}
	var id ID
	var word [8]byte
	binary.BigEndian.PutUint64(word[:], uint64(c.Version))
	copy(id[:timeBytes], word[8-timeBytes:])
	binary.BigEndian.PutUint64(word[:], xxhash.Sum64(b))
	copy(id[timeBytes:], word[:])
	return id
}

// hash returns a stable hash of the value's meaning: the order of a map's or set's members doesn't count, nor how a number is
// written. An absent value has a hash too.
func (v Value) hash() uint64 {
	var sum uint64
	switch t := v.Type(); t {
	case S, B:
		return hashPair(t, xxhash.Sum64(v.a.bytes(v.i)), 0)
	case N:
		var buf [maxCanonical]byte
		return hashPair(t, xxhash.Sum64(appendNumber(buf[:0], v.a.bytes(v.i))), 0)
	case BOOL, NULL, 0:
		return hashPair(t, uint64(v.node().len), 0)
	case M:
		for name, member := range v.Map() {
			sum += hashPair(0, xxhash.Sum64String(name), member.hash())
		}
		return hashPair(t, sum, uint64(v.Len()))
	case L:
		for member := range v.List() {
			sum = hashPair(t, sum, member.hash())
		}
		return hashPair(t, sum, uint64(v.Len()))
	default:
		for member := range v.List() {
			sum += member.hash()
		}
		return hashPair(t, sum, uint64(v.Len()))
	}
}

func hashPair(t Type, x, y uint64) uint64 {
	var b [17]byte
	b[0] = byte(t)
	binary.BigEndian.PutUint64(b[1:], x)
	binary.BigEndian.PutUint64(b[9:], y)
	return xxhash.Sum64(b[:])
}
