package main

import "testing"

// The figures compare nothing unless both read the same.
func TestReadersAgree(t *testing.T) {
	for _, corpus := range []string{"small", "rich"} {
		p := payload(corpus, 40)
		ourNeeded, ourFull := ours(corpus)
		theirNeeded, theirFull := library(corpus)
		if err := same(p, ourNeeded, theirNeeded); err != nil {
			t.Errorf("%s needed: %v", corpus, err)
		}
		if err := same(p, ourFull, theirFull); err != nil {
			t.Errorf("%s full: %v", corpus, err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, corpus := range []string{"small", "rich"} {
		p := payload(corpus, records)
		ourNeeded, ourFull := ours(corpus)
		theirNeeded, theirFull := library(corpus)
		for _, c := range []struct {
			name string
			read reader
		}{
			{"needed/sluice", ourNeeded}, {"needed/encoding_json", theirNeeded},
			{"full/sluice", ourFull}, {"full/encoding_json", theirFull},
		} {
			b.Run(corpus+"/"+c.name, func(b *testing.B) {
				b.SetBytes(int64(len(p)))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := c.read(p); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*records), "ns/record")
			})
		}
	}
}
