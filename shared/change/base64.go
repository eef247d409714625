package change

import "encoding/base64"

// strict64 is base64 as DynamoDB and Lambda write it: padded, with no stray bits.
var strict64 = base64.StdEncoding.Strict()

// decode64 decodes src into dst, which may be src itself, and returns how many bytes there are.
// Unlike encoding/base64 it takes no line breaks.
func decode64(dst, src []byte) (int, bool) {
	if len(src)%4 != 0 {
		return 0, false
	}
	for _, c := range src {
		if c == '\n' || c == '\r' {
			return 0, false
		}
	}
	n, err := strict64.Decode(dst, src)
	return n, err == nil
}
