package declaration

// Path reads a path to one value. [] is a fault.
func (r *Reader) Path(n Node, what string) Path {
	return r.oneValue(n.At, r.Members(n, what), what)
}

// Members reads a path that may lead to each member of a list.
func (r *Reader) Members(n Node, what string) Path {
	text := r.Text(n, what)
	if text == "" {
		return Path{}
	}
	return r.parsePath(n.At, text, what)
}

// Name reads the name of a whole attribute, where a path into one can't be followed. The name is returned as items have
// it, without backslashes.
func (r *Reader) Name(n Node, what string) string {
	p := r.Members(n, what)
	name, whole := p.Name()
	if !whole && !p.IsZero() {
		r.Fault(n.At, "%s: %s leads into attribute %s, and only whole attributes can stand here; name %[3]s, or write %s if that is the attribute's own name", what, p, name, Whole(n.Text))
	}
	return name
}

func (r *Reader) oneValue(at Position, p Path, what string) Path {
	if p.Lists() {
		r.Fault(at, "%s: %s is each member of a list, which only a view's sum or count can take; name one value of the item here, such as one that the application keeps beside the list", what, p)
		return Path{}
	}
	return p
}

func (r *Reader) parsePath(at Position, text, what string) Path {
	p, err := ParsePath(text)
	if err != nil {
		r.Fault(at, "%s: %v", what, err)
	}
	return p
}
