package change

// A Selector says which members of a map are taken.
type Selector interface {
	// Member reports whether the member of that name is taken. inner selects among the member's own members, if it is a
	// map; nil takes them all.
	Member(name string) (inner Selector, taken bool)
}

// Filter returns the value with those members of its maps that s takes; maps in lists are taken whole. A value that is
// no map stays what it is. Text and bytes are shared with v.
func (v Value) Filter(s Selector) Value {
	if v.Type() != M {
		return v
	}
	to := &arena{data: v.a.data, nodes: make([]node, 0, v.node().next-v.i)}
	to.take(v, s)
	return Value{to, 0}
}

// take copies the nodes of a value that are taken.
func (a *arena) take(v Value, s Selector) {
	self := len(a.nodes)
	if v.Type() != M || s == nil {
		for _, n := range v.a.nodes[v.i:v.node().next] {
			if n.typ != 0 { // a name has no next
				n.next = n.next - v.i + uint32(self)
			}
			a.nodes = append(a.nodes, n)
		}
		return
	}
	of := v.node()
	a.nodes = append(a.nodes, node{typ: M})
	taken := uint32(0)
	for i := v.i + 1; i < of.next; i = v.a.nodes[i+1].next {
		if inner, ok := s.Member(v.a.text(i)); ok {
			a.nodes = append(a.nodes, v.a.nodes[i])
			a.take(Value{v.a, i + 1}, inner)
			taken++
		}
	}
	a.nodes[self].len, a.nodes[self].next = taken, uint32(len(a.nodes))
}
