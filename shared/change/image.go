package change

import "iter"

// An Image is an item, or its keys, as it stood before or after a change. The zero Image is absent.
//
// An Image is a small value; copy it freely. It lives as long as its Change, while strings, bytes and the SDK's values
// taken from it live as long as they are held. Reading allocates nothing, except AttributeValues.
type Image struct{ v Value }

// Exists reports whether the record carried the image.
func (m Image) Exists() bool { return m.v.a != nil }

// Len returns how many attributes the image has.
func (m Image) Len() int { return m.v.Len() }

// All yields the attributes in the record's order, each name once.
func (m Image) All() iter.Seq2[string, Value] { return m.v.Map() }

// Get returns the attribute of that name, and false if it or the whole image is absent.
func (m Image) Get(name string) (Value, bool) { return m.v.Member(name) }

// Hash returns a stable hash of the image's meaning: the order of attributes and of a set's members doesn't count, nor how a
// number is written. An absent image has a hash too.
func (m Image) Hash() uint64 { return m.v.hash() }

func (m Image) typed(name string, want Type) (Value, error) {
	v, _ := m.Get(name)
	if got := v.Type(); got != want {
		return Value{}, &AttributeError{Name: name, Want: want, Got: got}
	}
	return v, nil
}

// String returns the text of attribute name of type S. The error is an *AttributeError that wraps ErrMissing if there is none.
func (m Image) String(name string) (string, error) {
	v, err := m.typed(name, S)
	return v.Text(), err
}

// Number returns the decimal text of attribute name of type N, exactly as the record has it: a JSON number of at most 38
// significant digits, 0 or of a magnitude from 1E-130 to 9.99E+125. Errors are those of String.
func (m Image) Number(name string) (string, error) {
	v, err := m.typed(name, N)
	return v.Text(), err
}

// Bytes returns the bytes of attribute name of type B, which are shared and must not be changed. Errors are those of String.
func (m Image) Bytes(name string) ([]byte, error) {
	v, err := m.typed(name, B)
	return v.Bytes(), err
}

// Bool returns the value of attribute name of type BOOL. Errors are those of String.
func (m Image) Bool(name string) (bool, error) {
	v, err := m.typed(name, BOOL)
	return v.Bool(), err
}
