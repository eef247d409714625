package change

import (
	"errors"
	"fmt"
)

// A DecodeError says why some bytes are no change, or no Lambda payload. It is for people; programs need only know that it is one.
type DecodeError struct {
	What    string // what is wrong
	Offset  int    // where: bytes from the start of the record's data, or of the payload
	Excerpt string // what stands there, cut short
}

func (e *DecodeError) Error() string {
	if e.Excerpt == "" {
		return fmt.Sprintf("%s, at byte %d (the end)", e.What, e.Offset)
	}
	return fmt.Sprintf("%s, at byte %d: %q", e.What, e.Offset, e.Excerpt)
}

// excerptLen is how much of bad data an error shows: enough to recognise it, too little to leak an item into the logs.
const excerptLen = 24

func newDecodeError(what string, data []byte, at int) *DecodeError {
	at = min(at, len(data))
	return &DecodeError{What: what, Offset: at, Excerpt: string(data[at:min(at+excerptLen, len(data))])}
}

// ErrMissing is what an AttributeError wraps when the image, or the attribute in it, is absent.
var ErrMissing = errors.New("attribute is missing")

// An AttributeError says why an attribute could not be read as what was asked for.
type AttributeError struct {
	Name string
	Want Type
	Got  Type // 0 if the attribute is missing
}

func (e *AttributeError) Error() string {
	if e.Got == 0 {
		return fmt.Sprintf("attribute %q is missing, want type %s", e.Name, e.Want)
	}
	return fmt.Sprintf("attribute %q has type %s, want %s", e.Name, e.Got, e.Want)
}

func (e *AttributeError) Unwrap() error {
	if e.Got == 0 {
		return ErrMissing
	}
	return nil
}
