package view

import (
	"strconv"

	"github.com/shopspring/decimal"

	"sluice/shared/change"
	"sluice/shared/declaration"
)

// maxDigits is how many significant digits DynamoDB's numbers have at most.
const maxDigits = 38

// Bucket sorts items by a number of their own into ranges: a number's bucket is
// the number cut, toward zero, to its first few digits. 12345 is in bucket 12000
// of two digits, -0.0456 in -0.045, and 0 in one of its own. Buckets are in the
// order of their numbers, and each lies within one bucket of fewer digits.
type Bucket struct {
	Digits int
	of     declaration.Path // to the item's number
}

// Of returns the bucket that holds a number.
func (b *Bucket) Of(n decimal.Decimal) decimal.Decimal {
	return n.RoundDown(-b.unit(n, b.Digits))
}

// Last returns the largest number in the bucket that holds n, of those that
// DynamoDB knows.
func (b *Bucket) Last(n decimal.Decimal) decimal.Decimal {
	first := b.Of(n)
	if n.Sign() <= 0 {
		return first // the bucket reaches from here toward less
	}
	return first.Add(decimal.New(1, b.unit(n, b.Digits))).Sub(decimal.New(1, b.unit(n, maxDigits)))
}

// unit is the power of ten of the last of a number's first so many digits.
func (*Bucket) unit(n decimal.Decimal, digits int) int32 {
	return int32(n.NumDigits()) + n.Exponent() - int32(digits)
}

// label returns the bucket of an item as text.
func (b *Bucket) label(i item) (string, error) {
	text, err := i.text(b.of, change.N)
	if err != nil {
		return "", err
	}
	number, err := decimal.NewFromString(text)
	return b.Of(number).String(), err
}

// bucket reads `bucket:`; nil if there is none.
func (r *reader) bucket(n node) *Bucket {
	if n.Kind == declaration.Absent {
		return nil
	}
	f := r.Fields(n, "bucket", "of", "digits")
	b := &Bucket{of: r.Path(f["of"], "bucket: of")}
	digits := r.Text(f["digits"], "bucket: digits")
	var err error
	if b.Digits, err = strconv.Atoi(digits); digits != "" && (err != nil || b.Digits < 1 || b.Digits > maxDigits) {
		r.Fault(f["digits"].At, "bucket: digits %q must be a whole number from 1 to %d", digits, maxDigits)
	}
	return b
}
