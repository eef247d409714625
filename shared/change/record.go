package change

import (
	"bytes"
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
	p.nodes, p.scanner = p.nodes[:0], scanner{} // which would keep the last batch's buffer
	p.ofRecord, p.ofBody, p.ofIdentity = form{names: recordNames}, form{names: bodyNames}, form{names: identityNames}
}

// record reads the data b[start:] as a change.
func (p *parser) record(a *arena, b []byte, start int, c *Change) bool {
	p.scanner, p.hashes = scanner{b: b, i: start}, p.hashes[:0]
	if p.peek() != '{' {
		return p.fail(p.i, "the data is no JSON object")
	}
	var ticks int64
	return p.ofRecord.read(&p.scanner, func(name int) bool {
		switch name {
		case recordRegion:
			return p.optional(&c.Region)
		case recordID:
			return p.optional(&c.EventID)
		case recordKind:
			return word(p, &c.Kind, kindNames, "eventName is none of INSERT, MODIFY, REMOVE")
		case recordIdentity:
			return p.identity(&c.Identity)
		case recordTable:
			return p.optional(&c.Table)
		}
		return p.body(a, c, &ticks)
	}) && p.end() && p.complete(start, c, ticks)
}

// body reads the member dynamodb.
func (p *parser) body(a *arena, c *Change, ticks *int64) bool {
	return p.ofBody.read(&p.scanner, func(name int) bool {
		switch name {
		case bodyTime:
			return p.integer(ticks)
		case bodyPrecision:
			return word(p, &c.Precision, precisionNames, "the precision is none of MILLISECOND, MICROSECOND")
		case bodyKeys:
			return p.keys(a, &c.Keys)
		case bodyNew:
			return p.image(a, &c.New)
		case bodyOld:
			return p.image(a, &c.Old)
		}
		return p.null() || p.integer(&c.SizeBytes) // bodySize
	})
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
	case c.Kind != Remove && c.Old.Exists() != (c.Kind == Modify):
		return p.fail(start, "the kind "+c.Kind.String()+" and the old image contradict each other: modifies have one, inserts don't")
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

// word reads a string that must be one of some words, and gives the word's place to dst.
func word[T ~uint8](p *parser, dst *T, words []string, fault string) bool {
	at := p.i
	t, ok := p.str()
	if !ok {
		return false
	}
	b := p.content(t)
	for i, w := range words {
		if w != "" && w == string(b) {
			*dst = T(i)
			return true
		}
	}
	return p.fail(at, fault)
}

// identity reads userIdentity; its names come in two spellings.
func (p *parser) identity(dst *UserIdentity) bool {
	if p.null() {
		return true
	}
	if !p.ofIdentity.read(&p.scanner, func(name int) bool {
		if name < 2 {
			return p.optional(&dst.Type)
		}
		return p.optional(&dst.PrincipalID)
	}) {
		return false
	}
	if f := &p.ofIdentity; f.has(0) && f.has(1) || f.has(2) && f.has(3) {
		return p.fail(p.i, "userIdentity says the same thing twice")
	}
	return true
}

// integer reads a whole number of at most 18 digits, not negative.
func (p *parser) integer(dst *int64) bool {
	p.peek()
	at := p.i
	var n int64
	for ; p.i < len(p.b) && '0' <= p.b[p.i] && p.b[p.i] <= '9'; p.i++ {
		n = n*10 + int64(p.b[p.i]-'0') // may overflow, which its length shows
	}
	digits := p.i - at
	if digits == 0 || digits > 1 && p.b[at] == '0' || digits > 18 || p.i < len(p.b) && bytes.IndexByte([]byte(".eE"), p.b[p.i]) >= 0 {
		return p.fail(at, "expected a whole number of at most 18 digits")
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
