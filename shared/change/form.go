package change

import "bytes"

// A form is one kind of object of the payload or the record: the names that are read, and how the last one of its kind was
// written. In a batch nearly all are written alike to the byte, and what was checked once need not be checked again.
type form struct {
	names []string
	last  [16]member
	next  int  // which member should come next
	seen  uint // which names the object has had, a bit for each
}

// A member is the text of a name and its colon; if the name isn't read, of the value too.
type member struct {
	raw []byte
	id  int
}

// What form.member returns besides the place of a name in names.
const (
	unread = -1
	wrong  = -2
)

// read takes the next object. For each name that is read, value takes the value; it is given the name's place in names.
func (f *form) read(s *scanner, value func(name int) bool) bool {
	f.next, f.seen = 0, 0
	more, ok := s.enter('{', '}')
	for ; more; more = s.eat(',') {
		if name := f.member(s); name == wrong || name >= 0 && !value(name) {
			return false
		}
	}
	return ok && s.leave('}')
}

// has reports whether the object has had the name at that place in names.
func (f *form) has(id int) bool { return f.seen&(1<<id) != 0 }

// member takes the next name and colon, and returns the name's place in names. If it isn't among them the value is taken too.
func (f *form) member(s *scanner) int {
	if s.i < len(s.b) && s.b[s.i] != '"' {
		s.peek()
	}
	if f.next < len(f.last) {
		m := &f.last[f.next]
		if m.raw != nil && bytes.HasPrefix(s.b[s.i:], m.raw) {
			f.next++
			s.i += len(m.raw)
			return f.once(s, m.id)
		}
	}
	return f.learn(s)
}

// learn does what member does for a member that isn't like last time's.
func (f *form) learn(s *scanner) int {
	start := s.i
	t, ok := s.name()
	if !ok {
		return wrong
	}
	name := s.b[t.start:t.end]
	if t.escaped {
		name = unescape(nil, name)
	}
	id := unread
	for i := range f.names {
		if f.names[i] == string(name) {
			id = i
		}
	}
	if id == unread && !s.skip() {
		return wrong
	}
	// A number doesn't say where it ends: the text of 1 would be taken for the start of 12.
	if c := s.b[s.i-1]; f.next < len(f.last) && (c < '0' || c > '9') {
		f.last[f.next] = member{s.b[start:s.i], id}
		f.next++
	}
	return f.once(s, id)
}

// once fails if the name was there before: which of two values was meant, nobody can tell. What isn't read may repeat.
func (f *form) once(s *scanner, id int) int {
	if id >= 0 {
		if f.has(id) {
			s.fail(s.i, "a second value for "+f.names[id])
			return wrong
		}
		f.seen |= 1 << id
	}
	return id
}
