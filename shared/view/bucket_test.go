package view

import (
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

func TestBuckets(t *testing.T) {
	for _, test := range []struct {
		number       string
		digits       int
		bucket, last string
	}{
		{"12345", 2, "12000", "12999." + strings.Repeat("9", 33)},
		{"1.2345e4", 2, "12000", "12999." + strings.Repeat("9", 33)},
		{"7", 1, "7", "7." + strings.Repeat("9", 37)},
		{"7.000", 3, "7", "7.00" + strings.Repeat("9", 35)},
		{"999", 1, "900", "999." + strings.Repeat("9", 35)},
		{"-0.0456", 2, "-0.045", "-0.045"},
		{"-999", 1, "-900", "-900"},
		{"0", 2, "0", "0"},
		{"0.00", 3, "0", "0"},
		{"12345678901234567890123456789012345678", 38, "12345678901234567890123456789012345678", "12345678901234567890123456789012345678"},
		{"1e125", 1, "1" + strings.Repeat("0", 125), "1" + strings.Repeat("9", 37) + strings.Repeat("0", 88)},
	} {
		b := &Bucket{Digits: test.digits}
		n := decimal.RequireFromString(test.number)
		if got := b.Of(n).String(); got != test.bucket {
			t.Errorf("bucket of %s with %d digits is %s, want %s", test.number, test.digits, got, test.bucket)
		}
		if got := b.Last(n).String(); got != test.last {
			t.Errorf("last of the bucket of %s with %d digits is %s, want %s", test.number, test.digits, got, test.last)
		}
	}
}

// numbers are all sorts of those that DynamoDB holds; two in a row often share a
// bucket.
func numbers() *rapid.Generator[decimal.Decimal] {
	return rapid.Custom(func(t *rapid.T) decimal.Decimal {
		digits := rapid.StringMatching(`-?[1-9][0-9]{0,37}|-?[12]0{0,3}[0-9]?|0`).Draw(t, "digits")
		return decimal.RequireFromString(digits).Shift(int32(rapid.IntRange(-3, 3).Draw(t, "shift")))
	})
}

// What rank relies on: buckets keep the order, those of fewer digits hold whole
// ones of more, and nothing lies between the last number of one and the next.
func TestBucketsAreInOrderAndNest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		coarse, fine := &Bucket{Digits: rapid.IntRange(1, 3).Draw(t, "digits")}, &Bucket{Digits: 4}
		x, y := numbers().Draw(t, "x"), numbers().Draw(t, "y")
		if x.GreaterThan(y) {
			x, y = y, x
		}
		if coarse.Of(x).GreaterThan(coarse.Of(y)) {
			t.Errorf("%s ≤ %s, but their buckets are %s and %s", x, y, coarse.Of(x), coarse.Of(y))
		}
		if got, want := coarse.Of(fine.Of(x)), coarse.Of(x); !got.Equal(want) {
			t.Errorf("%s is in %s, but its bucket %s is in %s", x, want, fine.Of(x), got)
		}
		last := coarse.Last(x)
		if last.LessThan(x) || !coarse.Of(last).Equal(coarse.Of(x)) || last.NumDigits() > maxDigits {
			t.Errorf("the last of the bucket %s, which holds %s, is %s", coarse.Of(x), x, last)
		}
		if sameBucket := coarse.Of(y).Equal(coarse.Of(x)); sameBucket == y.GreaterThan(last) {
			t.Errorf("%s is the last of the bucket %s, %s is in %s", last, coarse.Of(x), y, coarse.Of(y))
		}
	})
}
