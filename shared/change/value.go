package change

import (
	"iter"
	"unsafe"
)

// Type is the type of an attribute's value.
type Type uint8

// DynamoDB's ten types.
const (
	S Type = iota + 1
	N
	B
	BOOL
	NULL
	M
	L
	SS
	NS
	BS
)

var typeNames = []string{S: "S", N: "N", B: "B", BOOL: "BOOL", NULL: "NULL", M: "M", L: "L", SS: "SS", NS: "NS", BS: "BS"}

// String returns DynamoDB's own name of the type.
func (t Type) String() string { return nameOf(typeNames, t, "Type") }

// arena holds what the images of one batch point into.
type arena struct {
	data  []byte // the records, decoded; strings and binary stand in it as they are, without escapes or base64
	nodes []node
}

// A node is one value, or the name of the value in the node after it. A container's members follow it.
type node struct {
	off  uint32 // where the bytes of a name, S, N or B start in data
	len  uint32 // how many bytes; for a container how many members; for BOOL 1 if true
	next uint32 // the node after this value and all that is in it; for a name a hash of it
	typ  Type   // 0 for a name
}

func (a *arena) bytes(i uint32) []byte {
	n := &a.nodes[i]
	return a.data[n.off : n.off+n.len : n.off+n.len]
}

// text doesn't copy: data is never written to again once its batch is decoded.
func (a *arena) text(i uint32) string {
	b := a.bytes(i)
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// A Value is one attribute's value. It lives as long as its Change; the text and bytes taken from it live as long as they are held.
// The zero Value has type 0 and is empty.
type Value struct {
	a *arena
	i uint32
}

func (v Value) node() node {
	if v.a == nil {
		return node{}
	}
	return v.a.nodes[v.i]
}

// Type returns the value's type.
func (v Value) Type() Type { return v.node().typ }

// Text returns the text of an S or the decimal text of an N, and "" for any other type.
func (v Value) Text() string {
	if t := v.Type(); t != S && t != N {
		return ""
	}
	return v.a.text(v.i)
}

// Bytes returns the bytes of a B, and nil for any other type. They are shared and must not be changed.
func (v Value) Bytes() []byte {
	if v.Type() != B {
		return nil
	}
	return v.a.bytes(v.i)
}

// Bool returns the value of a BOOL, and false for any other type.
func (v Value) Bool() bool {
	n := v.node()
	return n.typ == BOOL && n.len == 1
}

// Len returns how many members an M, L, SS, NS or BS has, how many bytes an S, N or B, and 0 for any other type.
func (v Value) Len() int {
	n := v.node()
	if n.typ == BOOL {
		return 0
	}
	return int(n.len)
}

// List yields the members of an L, SS, NS or BS in the record's order, and nothing for any other type.
// The members of a set have type S, N or B.
func (v Value) List() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		n := v.node()
		if n.typ < L {
			return
		}
		for i := v.i + 1; i < n.next; i = v.a.nodes[i].next {
			if !yield(Value{v.a, i}) {
				return
			}
		}
	}
}

// Map yields the members of an M in the record's order, each name once, and nothing for any other type.
func (v Value) Map() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		n := v.node()
		if n.typ != M {
			return
		}
		for i := v.i + 1; i < n.next; i = v.a.nodes[i+1].next {
			if !yield(v.a.text(i), Value{v.a, i + 1}) {
				return
			}
		}
	}
}

// Member returns the member of an M with that name, and false if the value has none or is of another type.
func (v Value) Member(name string) (Value, bool) {
	a := v.a
	if a == nil || a.nodes[v.i].typ != M {
		return Value{}, false
	}
	for i, end := v.i+1, a.nodes[v.i].next; i < end; i = a.nodes[i+1].next {
		if int(a.nodes[i].len) == len(name) && a.text(i) == name {
			return Value{a, i + 1}, true
		}
	}
	return Value{}, false
}
