package change

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
)

// FuzzDecode64 holds decode64 against encoding/base64, in place and not.
func FuzzDecode64(f *testing.F) {
	for _, s := range []string{"", "=", "==", "===", "====", "AA==", "AB==", "AAA=", "AAB=", "AAAA", "A===", "AA=A", "AAAA====", "RWdJSWV3PT0=", "AA\n==", "AA-_"} {
		f.Add([]byte(s))
	}
	for n := range 40 {
		f.Add([]byte(base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\xfb\xff\xbe", 14)[:n]))))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		want, err := base64.StdEncoding.Strict().DecodeString(string(src))
		accept := err == nil && !bytes.ContainsAny(src, "\r\n")
		dst := make([]byte, len(src)/4*3)
		n, ok := decode64(dst, src)
		if ok != accept {
			t.Fatalf("decode64(%q) accepts: %t, encoding/base64 %v", src, ok, err)
		}
		if ok && !bytes.Equal(dst[:n], want) {
			t.Fatalf("decode64(%q) = %q, want %q", src, dst[:n], want)
		}
		place := bytes.Clone(src)
		if n, ok := decode64(place, place); ok != accept || ok && !bytes.Equal(place[:n], want) {
			t.Fatalf("decode64(%q) in place = %q %t, want %q", src, place[:n], ok, want)
		}
	})
}

func BenchmarkDecode64(b *testing.B) {
	src := []byte(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("Sluice"), 300)))
	dst := make([]byte, 1800)
	b.Run("sluice", func(b *testing.B) {
		b.SetBytes(int64(len(src)))
		for b.Loop() {
			decode64(dst, src)
		}
	})
	b.Run("std", func(b *testing.B) {
		b.SetBytes(int64(len(src)))
		for b.Loop() {
			if _, err := base64.StdEncoding.Decode(dst, src); err != nil {
				b.Fatal(err)
			}
		}
	})
}
