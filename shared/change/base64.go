package change

import "encoding/binary"

// pairs64 holds what two base64 digits are worth, with good64; 0 if they aren't digits. The first of the two is the index's low
// byte, as it comes out of a little-endian word. One look-up for two digits reads base64 faster than encoding/base64 does, on
// any processor, and of the table only the parts that real digits reach ever get into the caches.
var pairs64 = func() (t [1 << 16]uint16) {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for i := range digits {
		for j := range digits {
			t[int(digits[i])|int(digits[j])<<8] = good64 | uint16(i<<6|j)
		}
	}
	return t
}()

const good64 = 1 << 15

// goods64 is what the good64 of four pairs leave in their sum; that of the first is shifted out.
const goods64 = good64<<40 ^ good64<<28 ^ good64<<16

// group64 returns in its upper 48 bits what eight digits are worth, and in good64 whether all of them are digits.
func group64(w uint64) (worth uint64, good uint16) {
	a, b, c, d := pairs64[uint16(w)], pairs64[uint16(w>>16)], pairs64[uint16(w>>32)], pairs64[w>>48]
	return uint64(a)<<52 ^ uint64(b)<<40 ^ uint64(c)<<28 ^ uint64(d)<<16 ^ goods64, a & b & c & d
}

// decode64 decodes src into dst, which has room for len(src)/4*3 bytes and may start where src does, and returns how many bytes
// there are. It takes base64 as DynamoDB and Lambda write it: padded, without line breaks or stray bits.
func decode64(dst, src []byte) (int, bool) {
	if len(src) == 0 {
		return 0, true
	}
	if len(src)%4 != 0 {
		return 0, false
	}
	n := 0
	// Sixteen digits a turn, as long as the bytes written, two more than they are worth, reach neither digits that aren't read
	// yet nor the end of dst.
	for len(src) >= 24 && len(dst)-n >= 16 {
		x, good := group64(binary.LittleEndian.Uint64(src))
		y, alsoGood := group64(binary.LittleEndian.Uint64(src[8:]))
		if good&alsoGood&good64 == 0 {
			return 0, false
		}
		out := dst[n : n+14]
		binary.BigEndian.PutUint64(out, x)
		binary.BigEndian.PutUint64(out[6:], y)
		n += 12
		src = src[16:]
	}
	for ; len(src) > 4; src = src[4:] {
		a, b := pairs64[binary.LittleEndian.Uint16(src)], pairs64[binary.LittleEndian.Uint16(src[2:])]
		if a&b&good64 == 0 {
			return 0, false
		}
		dst[n], dst[n+1], dst[n+2] = byte(a>>4), byte(a<<4|b>>8&15), byte(b)
		n += 3
	}
	// The last group may be padded.
	size := 3
	var last [4]byte
	copy(last[:], src)
	for size > 1 && last[size] == '=' {
		last[size] = 'A' // worth 0
		size--
	}
	a, b := pairs64[binary.LittleEndian.Uint16(last[:])], pairs64[binary.LittleEndian.Uint16(last[2:])]
	w := uint32(a&^good64)<<20 | uint32(b&^good64)<<8
	if a&b&good64 == 0 || w<<(8*size) != 0 {
		return 0, false
	}
	for i := range size {
		dst[n+i] = byte(w >> (24 - 8*i))
	}
	return n + size, true
}
