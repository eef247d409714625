package query

import (
	"fmt"
	"math"
	"regexp"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// object is a part of a request to OpenSearch.
type object map[string]any

// decimals are the numbers that are understood: no more digits of exponent than any
// type needs, since each value is written out in full.
var decimals = regexp.MustCompile(`^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?$`)

func parseNumber(text string) (decimal.Decimal, error) {
	if !decimals.MatchString(text) {
		return decimal.Zero, fmt.Errorf("%q is no number", text)
	}
	return decimal.NewFromString(text)
}

// numberType says what a type of number holds.
type numberType struct {
	least, most decimal.Decimal
	whole       bool
}

func integers(bits int32) numberType {
	half := decimal.NewFromInt(2).Pow(decimal.NewFromInt32(bits - 1))
	return numberType{half.Neg(), half.Sub(decimal.NewFromInt(1)), true}
}

func floats(most float64) numberType {
	return numberType{decimal.NewFromFloat(-most), decimal.NewFromFloat(most), false}
}

var numberTypes = map[string]numberType{
	"byte": integers(8), "short": integers(16), "integer": integers(32), "long": integers(64),
	"unsigned_long": {decimal.Zero, decimal.NewFromUint64(math.MaxUint64), true},
	"half_float":    floats(65504),
	"float":         floats(math.MaxFloat32),
	"double":        floats(math.MaxFloat64),
	"scaled_float":  floats(math.MaxInt64), // a long, divided by what its mapping says
}

// numberLimit is one end of a range of numbers.
type numberLimit struct {
	value    decimal.Decimal
	included bool
}

// whole returns the last whole number within the limit, which is rounded inwards.
func (l *numberLimit) whole(round func(decimal.Decimal) decimal.Decimal, inwards int64) *numberLimit {
	if l == nil {
		return nil
	}
	last := round(l.value)
	if !l.included && last.Equal(l.value) {
		last = last.Add(decimal.NewFromInt(inwards))
	}
	return &numberLimit{last, true}
}

// numbers finds the values of a field from lower to upper; nil: no end. Ends beyond
// what the type holds are made exact here, since OpenSearch would refuse them, and
// those of whole numbers are, since it would compare them as doubles.
func numbers(f field, lower, upper *numberLimit) object {
	held := numberTypes[f.kind]
	if held.whole {
		lower, upper = lower.whole(decimal.Decimal.Ceil, 1), upper.whole(decimal.Decimal.Floor, -1)
	}
	if lower != nil && lower.value.GreaterThan(held.most) || upper != nil && upper.value.LessThan(held.least) {
		return nothing()
	}
	bounds := object{}
	if lower != nil && !lower.value.LessThan(held.least) {
		bounds[bound("g", lower.included)] = lower.value.String()
	}
	if upper != nil && !upper.value.GreaterThan(held.most) {
		bounds[bound("l", upper.included)] = upper.value.String()
	}
	return inRange(f, bounds)
}

func bound(side string, included bool) string {
	if included {
		return side + "te"
	}
	return side + "t"
}

// inRange finds what has a value within bounds; without any: what has a value.
func inRange(f field, bounds object) object {
	if len(bounds) == 0 {
		return object{"exists": object{"field": f.name}}
	}
	return object{"range": object{f.name: bounds}}
}

func nothing() object { return object{"match_none": object{}} }

// period is a stretch of time, without its end.
type period struct{ from, to time.Time }

// bound returns its end, or its beginning.
func (p period) bound(end bool) *time.Time {
	if end {
		return &p.to
	}
	return &p.from
}

// periods are the forms of a date, with what each stands for. Behind a time, a
// fraction of the second and a zone may stand.
var periods = []struct {
	layout string
	step   func(time.Time) time.Time
}{
	{"2006", func(t time.Time) time.Time { return t.AddDate(1, 0, 0) }},
	{"2006-01", func(t time.Time) time.Time { return t.AddDate(0, 1, 0) }},
	{"2006-01-02", func(t time.Time) time.Time { return t.AddDate(0, 0, 1) }},
	{"2006-01-02T15:04", func(t time.Time) time.Time { return t.Add(time.Minute) }},
	{"2006-01-02T15:04:05", func(t time.Time) time.Time { return t.Add(time.Second) }},
}

// fraction is a part of a second; what is behind nanoseconds counts for nothing.
var fraction = regexp.MustCompile(`:\d\d\.(\d{1,9})\d*(Z|[+-]\d\d:\d\d)?$`)

// parsePeriod reads a date or time, in UTC unless it has a zone: the year, month, day,
// minute, second or part of it that it names.
func parsePeriod(text string) (period, error) {
	written := strings.Replace(text, " ", "T", 1)
	for _, form := range periods {
		for _, zone := range []string{"", "Z07:00"} {
			from, err := time.Parse(form.layout+zone, written)
			if err != nil {
				continue
			}
			from = from.UTC()
			if digits := fraction.FindStringSubmatch(written); digits != nil {
				return period{from, from.Add(time.Duration(math.Pow10(9 - len(digits[1]))))}, nil
			}
			return period{from, form.step(from)}, nil
		}
	}
	return period{}, fmt.Errorf("%q is no date; write 2026-01-31, or \"2026-01-31 18:30:00\" in UTC, or less or more of it", text)
}

// The times that a date_nanos holds, and how many years a date is sent for.
var (
	firstNano = time.Unix(0, 0)
	lastNano  = time.Unix(0, math.MaxInt64)
	lastYear  = 9999
)

// dates finds the values of a field from a time on and before another one; nil is no
// bound.
func dates(f field, from, to *time.Time) object {
	bounds := object{"format": "strict_date_optional_time_nanos"}
	for side, at := range map[string]*time.Time{"gte": from, "lt": to} {
		if at == nil {
			continue
		}
		moment := *at
		if f.kind == "date_nanos" {
			if moment.After(lastNano) {
				if side == "gte" {
					return nothing()
				}
				continue
			}
			if moment.Before(firstNano) {
				if side == "lt" {
					return nothing()
				}
				continue
			}
		} else if ms := moment.Truncate(time.Millisecond); !ms.Equal(moment) {
			moment = ms.Add(time.Millisecond) // the values are whole milliseconds
		}
		if moment.Year() > lastYear {
			continue // the end of the last year; nothing is later
		}
		bounds[side] = moment.UTC().Format("2006-01-02T15:04:05.000000000Z")
	}
	if len(bounds) == 1 {
		bounds = nil
	}
	return inRange(f, bounds)
}
