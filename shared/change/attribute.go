package change

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// container adds the node of a container, whose members the caller adds next.
func (p *parser) container(t Type) int {
	p.nodes = append(p.nodes, node{typ: t})
	return len(p.nodes) - 1
}

func (p *parser) closeContainer(i int, members uint32) bool {
	p.nodes[i].len, p.nodes[i].next = members, uint32(len(p.nodes))
	return true
}

// members reads an object of attributes into a node of type M.
func (p *parser) members() bool {
	at, self, mark, n := p.i, p.container(M), len(p.hashes), uint32(0)
	more, ok := p.enter('{', '}')
	for ; more; more = p.eat(',') {
		name, named := p.name()
		if !named {
			return false
		}
		b := p.content(name)
		h := hashName(b)
		p.hashes = append(p.hashes, h)
		p.nodes = append(p.nodes, node{off: uint32(name.start), len: uint32(len(b)), next: h})
		if !p.value() {
			return false
		}
		n++
	}
	if !ok || !p.leave('}') {
		return false
	}
	p.closeContainer(self, n)
	if repeated(p.hashes[mark:]) && p.namesRepeat(self) {
		return p.fail(at, "an attribute's name stands twice in one object")
	}
	p.hashes = p.hashes[:mark]
	return true
}

// hashName only has to tell most names apart.
func hashName(b []byte) uint32 {
	const odd = 0x9E3779B97F4A7C15
	n := len(b)
	h := uint64(n)
	for i := 0; i+8 < n; i += 8 {
		h = (h ^ binary.LittleEndian.Uint64(b[i:])) * odd
		h ^= h >> 29
	}
	// The last bytes, some perhaps for the second time.
	var last uint64
	switch {
	case n >= 8:
		last = binary.LittleEndian.Uint64(b[n-8:])
	case n >= 4:
		last = uint64(binary.LittleEndian.Uint32(b)) | uint64(binary.LittleEndian.Uint32(b[n-4:]))<<32
	case n > 0:
		last = uint64(b[0]) | uint64(b[n/2])<<8 | uint64(b[n-1])<<16
	}
	return uint32((h ^ last) * odd >> 32)
}

// repeated reports whether a hash stands twice. It may reorder them.
func repeated(hashes []uint32) bool {
	if len(hashes) > 16 {
		slices.Sort(hashes)
		for i := 1; i < len(hashes); i++ {
			if hashes[i] == hashes[i-1] {
				return true
			}
		}
		return false
	}
	for i := 1; i < len(hashes); i++ {
		for _, h := range hashes[:i] {
			if h == hashes[i] {
				return true
			}
		}
	}
	return false
}

// namesRepeat reports whether two members of the map in node self have the same name.
func (p *parser) namesRepeat(self int) bool {
	names := make([][]byte, 0, p.nodes[self].len)
	for i := self + 1; i < len(p.nodes); i = int(p.nodes[i+1].next) {
		n := p.nodes[i]
		names = append(names, p.b[n.off:n.off+n.len])
	}
	slices.SortFunc(names, bytes.Compare)
	for i := 1; i < len(names); i++ {
		if bytes.Equal(names[i], names[i-1]) {
			return true
		}
	}
	return false
}

// value reads an attribute's value: an object with one member, whose name is the type.
func (p *parser) value() bool {
	t, ok := p.tag()
	if !ok {
		return false
	}
	switch t {
	case S, N, B:
		ok = p.scalar(t)
	case BOOL:
		ok = p.boolean()
	case NULL:
		ok = p.literal("true") && p.add(node{typ: NULL})
	case M:
		ok = p.members()
	default:
		ok = p.list(t)
	}
	if !ok {
		return false
	}
	p.depth--
	return p.eat('}') || p.fail(p.i, "expected the end of an attribute's value")
}

// tag takes the start of a value, up to the colon, and returns its type.
func (p *parser) tag() (Type, bool) {
	if p.i+8 <= len(p.b) {
		// Nearly all values are written {"T": with one letter.
		w := binary.LittleEndian.Uint64(p.b[p.i:])
		if w&0xFF_FF00_FFFF == '{'|'"'<<8|'"'<<24|':'<<32 {
			if t := letters[byte(w>>16)]; t != 0 {
				p.i += 5
				p.depth++
				return t, p.depth <= maxDepth || p.fail(p.i, "nested too deeply")
			}
		}
	}
	more, ok := p.enter('{', '}')
	if !ok {
		return 0, false
	}
	at := p.i
	if !more {
		return 0, p.fail(at, "an attribute's value has no type")
	}
	name, ok := p.name()
	if !ok {
		return 0, false
	}
	b := p.content(name)
	for t := S; t <= BS; t++ {
		if typeNames[t] == string(b) {
			return t, true
		}
	}
	return 0, p.fail(at, "no such attribute type")
}

// letters are the types whose names are one letter.
var letters = [256]Type{'S': S, 'N': N, 'B': B, 'M': M, 'L': L}

// add adds a node without members.
func (p *parser) add(n node) bool {
	n.next = uint32(len(p.nodes) + 1)
	p.nodes = append(p.nodes, n)
	return true
}

func (p *parser) boolean() bool {
	n := node{typ: BOOL}
	if p.peek() == 't' {
		n.len = 1
		return p.literal("true") && p.add(n)
	}
	return p.literal("false") && p.add(n)
}

// scalar reads the string that stands for an S, N or B.
func (p *parser) scalar(t Type) bool {
	span, ok := p.str()
	if !ok {
		return false
	}
	b := p.content(span)
	switch t {
	case N:
		if !validNumber(b) {
			return p.fail(span.start, "an N is no number that DynamoDB can hold")
		}
	case B:
		// Once by DynamoDB as for any JSON, once more by its stream.
		n, ok := decode64(b, b)
		if ok {
			n, ok = decode64(b, b[:n])
		}
		if !ok {
			return p.fail(span.start, "a B is not base64 of base64")
		}
		b = b[:n]
	}
	return p.add(node{off: uint32(span.start), len: uint32(len(b)), typ: t})
}

// list reads an L, SS, NS or BS.
func (p *parser) list(t Type) bool {
	self, n := p.container(t), uint32(0)
	more, ok := p.enter('[', ']')
	for ; more; more = p.eat(',') {
		if t == L {
			ok = p.value()
		} else {
			ok = p.scalar(t - (SS - S))
		}
		if !ok {
			return false
		}
		n++
	}
	return ok && p.leave(']') && p.closeContainer(self, n)
}
