package verb

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"unicode/utf8"
)

// ErrUTF16 is returned for a file in an encoding that Sluice doesn't read.
var ErrUTF16 = errors.New("this is UTF-16 or UTF-32, not UTF-8; save it as UTF-8, or convert it: iconv -f UTF-16 -t UTF-8")

// UTF8Mark is the byte order mark that some programs write before UTF-8.
var UTF8Mark = []byte("\ufeff")

// OpenInput opens a file to read; - is standard input.
func OpenInput(path string) (io.ReadCloser, error) {
	if path == "-" {
		return io.NopCloser(os.Stdin), nil
	}
	return os.Open(path)
}

// InputName is how errors name a file.
func InputName(path string) string {
	if path == "-" {
		return "standard input"
	}
	return path
}

// ReadText reads a file of UTF-8, or standard input, without its byte order mark. What is no UTF-8 is an error that names the line.
func ReadText(path string) ([]byte, error) {
	in, err := OpenInput(path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	text, err := io.ReadAll(in)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", InputName(path), err)
	}
	if err := CheckEncoding(text); err != nil {
		return nil, fmt.Errorf("%s: %w", InputName(path), err)
	}
	text = bytes.TrimPrefix(text, UTF8Mark)
	number := 0
	for line := range bytes.Lines(text) {
		if number++; !utf8.Valid(line) {
			return nil, fmt.Errorf("%s, line %d: %q is no UTF-8", InputName(path), number, InvalidPart(bytes.TrimSuffix(line, []byte("\n"))))
		}
	}
	return text, nil
}

// CheckEncoding returns ErrUTF16 if a text begins as UTF-16 or UTF-32 does, with its mark or without.
func CheckEncoding(beginning []byte) error {
	for _, mark := range []string{"\xff\xfe", "\xfe\xff", "\x00\x00\xfe\xff"} {
		if bytes.HasPrefix(beginning, []byte(mark)) {
			return ErrUTF16
		}
	}
	// Text in UTF-8 has no NUL; an ASCII character in UTF-16 or UTF-32 has one beside it.
	if len(beginning) > 1 && (beginning[0] == 0) != (beginning[1] == 0) {
		return ErrUTF16
	}
	return nil
}

// InvalidPart returns the first bytes of a text that are no UTF-8, with a little of what stands around them.
func InvalidPart(text []byte) []byte {
	const around = 10
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			return text[max(0, i-around):min(len(text), i+around)]
		}
		i += size
	}
	return nil
}
