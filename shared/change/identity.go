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

func (c *Change) appendItemKey(dst []byte) []byte {
	var keys [2]keyAttribute
	n := 0
	for name, v := range c.Keys.All() {
		keys[n] = keyAttribute{name, v.Type(), v.a.bytes(v.i)}
		n++
	}
	return appendItemKey(dst, c.Table, keys[:n])
}

// keyAttribute is a key's name, type and text or bytes.
type keyAttribute struct {
	name  string
	typ   Type
	value []byte
}

// appendItemKey writes length:table, and then for each key attribute length:name, its type, length:value.
// The lengths keep apart what would otherwise run together.
func appendItemKey(dst []byte, table string, keys []keyAttribute) []byte {
	dst = appendCounted(dst, table)
	if len(keys) == 2 && keys[1].name < keys[0].name {
		keys[0], keys[1] = keys[1], keys[0]
	}
	for _, k := range keys {
		dst = appendCounted(dst, k.name)
		dst = append(dst, k.typ.String()...)
		value := k.value
		if k.typ == N {
			var buf [maxCanonical]byte
			value = appendNumber(buf[:0], value)
		}
		dst = appendCounted(dst, value)
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

// FirstID returns an ID that is before those of all changes with this version,
// and after those of all older ones.
func FirstID(version int64) ID {
	var id ID
	var word [8]byte
	binary.BigEndian.PutUint64(word[:], uint64(version))
	copy(id[:timeBytes], word[8-timeBytes:])
	return id
}

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
		b = binary.BigEndian.AppendUint64(b, c.Old.Hash())
		b = binary.BigEndian.AppendUint64(b, c.New.Hash())
	}
	id := FirstID(c.Version)
	var word [8]byte
	binary.BigEndian.PutUint64(word[:], xxhash.Sum64(b))
	copy(id[timeBytes:], word[:])
	return id
}

// Hash returns a stable hash of the change with its images: it tells apart changes of one item, also those that have the same
// time, whatever their precision, so that all who have to choose between two choose the same.
func (c *Change) Hash() uint64 {
	id := c.ID()
	b := make([]byte, 0, len(id)+16)
	b = append(b, id[:]...)
	b = binary.BigEndian.AppendUint64(b, c.Old.Hash())
	b = binary.BigEndian.AppendUint64(b, c.New.Hash())
	return xxhash.Sum64(b)
}

// hash returns a stable hash of the value's meaning: the order of a map's or set's members doesn't count, nor how a number is
// written. An absent value has a hash too.
func (v Value) hash() uint64 {
	var sum uint64
	switch t := v.Type(); t {
	case S, B:
		return hashPair(t, xxhash.Sum64(v.a.bytes(v.i)), 0)
	case N:
		return hashNumber(v.a.bytes(v.i))
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

// hashNumber is the hash of the valid JSON number b.
func hashNumber(b []byte) uint64 {
	var buf [maxCanonical]byte
	return hashPair(N, xxhash.Sum64(appendNumber(buf[:0], b)), 0)
}

func hashPair(t Type, x, y uint64) uint64 {
	var b [17]byte
	b[0] = byte(t)
	binary.BigEndian.PutUint64(b[1:], x)
	binary.BigEndian.PutUint64(b[9:], y)
	return xxhash.Sum64(b[:])
}
