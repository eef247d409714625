package change

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strconv"
	"unsafe"
)

// parser reads one record's data in one pass. What it checks it also keeps: nodes for the images, and strings without
// their escapes and base64, written over the place where they stood.
type parser struct {
	scanner
	nodes  []node
	hashes []uint32 // of the names in the objects that are open

	ofRecord, ofBody, ofIdentity form
}

// Names that are read, and their places.
var (
	recordNames   = []string{"awsRegion", "eventID", "eventName", "userIdentity", "tableName", "dynamodb"}
	bodyNames     = []string{"ApproximateCreationDateTime", "ApproximateCreationDateTimePrecision", "Keys", "NewImage", "OldImage", "SizeBytes"}
	identityNames = []string{"type", "Type", "principalId", "PrincipalId"}
)

const (
	recordRegion = iota
	recordID
	recordKind
	recordIdentity
	recordTable
	recordBody
)

const (
	bodyTime = iota
	bodyPrecision
	bodyKeys
	bodyNew
	bodyOld
	bodySize
)

// reset makes the parser ready for a new batch.
func (p *parser) reset() {
	p.nodes = p.nodes[:0]
	p.ofRecord, p.ofBody, p.ofIdentity = form{names: recordNames}, form{names: bodyNames}, form{names: identityNames}
}

// record reads the data b[start:] as a change.
func (p *parser) record(a *arena, b []byte, start int, c *Change) bool {
	p.scanner, p.hashes, p.ofBody.seen = scanner{b: b, i: start}, p.hashes[:0], 0
	var ticks int64
	more, ok := p.ofRecord.open(&p.scanner)
	for ; ok && more; more, ok = p.another('}') {
		switch p.ofRecord.member(&p.scanner) {
		case recordRegion:
			ok = p.optional(&c.Region)
		case recordID:
			ok = p.optional(&c.EventID)
		case recordKind:
			ok = p.kind(&c.Kind)
		case recordIdentity:
			ok = p.identity(&c.Identity)
		case recordTable:
			ok = p.optional(&c.Table)
		case recordBody:
			ok = p.body(a, c, &ticks)
		case wrong:
			return false
		}
		if !ok {
			return false
		}
	}
	return ok && p.end() && p.complete(start, c, ticks)
}

// body reads the member dynamodb.
func (p *parser) body(a *arena, c *Change, ticks *int64) bool {
	more, ok := p.ofBody.open(&p.scanner)
	for ; ok && more; more, ok = p.another('}') {
		switch p.ofBody.member(&p.scanner) {
		case bodyTime:
			ok = p.integer(ticks)
		case bodyPrecision:
			ok = p.precision(&c.Precision)
		case bodyKeys:
			ok = p.keys(a, &c.Keys)
		case bodyNew:
			ok = p.image(a, &c.New)
		case bodyOld:
			ok = p.image(a, &c.Old)
		case bodySize:
			ok = p.null() || p.integer(&c.SizeBytes)
		case wrong:
			return false
		}
		if !ok {
			return false
		}
	}
	return ok
}

// The times a change can have. Milliseconds taken for microseconds, or seconds for milliseconds, come out before the
// first, microseconds taken for milliseconds after the last: a record that says the wrong precision is caught here.
const (
	minVersion = int64(1e14)      // 1973-03-03
	maxVersion = int64(1<<56 - 1) // 4253-05-31; an ID has seven bytes for it
)

// complete checks what only the whole record can tell.
func (p *parser) complete(start int, c *Change, ticks int64) bool {
	switch {
	case c.Kind == 0:
		return p.fail(start, "no eventName")
	case c.Table == "":
		return p.fail(start, "no tableName")
	case !c.Keys.Exists():
		return p.fail(start, "no Keys")
	case !p.ofBody.has(bodyTime):
		return p.fail(start, "no ApproximateCreationDateTime")
	case c.New.Exists() != (c.Kind != Remove):
		return p.fail(start, "the kind "+c.Kind.String()+" and the new image contradict each other: inserts and modifies have one, removes don't")
	case c.Old.Exists() != (c.Kind != Insert):
		return p.fail(start, "the kind "+c.Kind.String()+" and the old image contradict each other: modifies and removes have one, inserts don't")
	}
	unit := int64(1)
	if c.Precision == Millisecond {
		unit = 1000
	}
	if ticks > maxVersion/unit || ticks < minVersion/unit {
		return p.fail(start, "the creation time "+strconv.FormatInt(ticks, 10)+" can't be in "+c.Precision.String()+"s")
	}
	c.Version = ticks * unit
	return true
}

func (p *parser) null() bool { return p.peek() == 'n' && p.literal("null") }

// content returns the contents of a string of p.b, without escapes, which it removes in place.
func (p *parser) content(t text) []byte {
	b := p.b[t.start:t.end:t.end]
	if t.escaped {
		b = unescape(b[:0], b)
	}
	return b
}

func (p *parser) textOf(t text) string {
	b := p.content(t)
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// optional reads a string or null.
func (p *parser) optional(dst *string) bool {
	if p.null() {
		return true
	}
	t, ok := p.str()
	if ok {
		*dst = p.textOf(t)
	}
	return ok
}

func (p *parser) kind(dst *Kind) bool {
	at := p.i
	t, ok := p.str()
	if !ok {
		return false
	}
	switch string(p.content(t)) {
	case "INSERT":
		*dst = Insert
	case "MODIFY":
		*dst = Modify
	case "REMOVE":
		*dst = Remove
	default:
		return p.fail(at, "eventName is none of INSERT, MODIFY, REMOVE")
	}
	return true
}

func (p *parser) precision(dst *Precision) bool {
	at := p.i
	t, ok := p.str()
	if !ok {
		return false
	}
	switch string(p.content(t)) {
	case "MILLISECOND":
		*dst = Millisecond
	case "MICROSECOND":
		*dst = Microsecond
	default:
		return p.fail(at, "the precision is none of MILLISECOND, MICROSECOND")
	}
	return true
}

// identity reads userIdentity; its names come in two spellings.
func (p *parser) identity(dst *UserIdentity) bool {
	if p.null() {
		return true
	}
	more, ok := p.ofIdentity.open(&p.scanner)
	for ; ok && more; more, ok = p.another('}') {
		switch p.ofIdentity.member(&p.scanner) {
		case 0, 1:
			ok = p.optional(&dst.Type)
		case 2, 3:
			ok = p.optional(&dst.PrincipalID)
		case wrong:
			return false
		}
		if !ok {
			return false
		}
	}
	if f := &p.ofIdentity; f.has(0) && f.has(1) || f.has(2) && f.has(3) {
		return p.fail(p.i, "userIdentity says the same thing twice")
	}
	return ok
}

// integer reads a whole number of at most 18 digits, not negative.
func (p *parser) integer(dst *int64) bool {
	at := p.i
	t, ok := p.number()
	if !ok {
		return false
	}
	b := p.b[t.start:t.end]
	if len(b) > 18 {
		return p.fail(at, "the number is too large")
	}
	var n int64
	for _, c := range b {
		if c < '0' || c > '9' {
			return p.fail(at, "expected a whole number")
		}
		n = n*10 + int64(c-'0')
	}
	*dst = n
	return true
}

// keys reads the key attributes.
func (p *parser) keys(a *arena, dst *Image) bool {
	at, first := p.i, len(p.nodes)
	if !p.members() {
		return false
	}
	if n := p.nodes[first].len; n != 1 && n != 2 {
		return p.fail(at, "an item has one or two key attributes")
	}
	for i := first + 1; i < len(p.nodes); i = int(p.nodes[i+1].next) {
		if p.nodes[i+1].typ > B {
			return p.fail(at, "a key attribute is of type S, N or B")
		}
	}
	dst.v = Value{a, uint32(first)}
	return true
}

// image reads an image or null.
func (p *parser) image(a *arena, dst *Image) bool {
	if p.null() {
		return true
	}
	first := len(p.nodes)
	dst.v = Value{a, uint32(first)}
	return p.members()
}

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
	for ; ok && more; more, ok = p.another('}') {
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
	if !ok {
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
	h := uint64(len(b))
	for ; len(b) >= 8; b = b[8:] {
		h = (h ^ binary.LittleEndian.Uint64(b)) * 0x9E3779B97F4A7C15
		h ^= h >> 29
	}
	var tail uint64
	for _, c := range b {
		tail = tail<<8 | uint64(c)
	}
	return uint32((h ^ tail) * 0x9E3779B97F4A7C15 >> 32)
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
	if !p.eat('}') {
		return p.fail(p.i, "expected the end of an attribute's value")
	}
	p.depth--
	return true
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
	for ; ok && more; more, ok = p.another(']') {
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
	return ok && p.closeContainer(self, n)
}
