package capacity

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// Load is what a plan is made for.
type Load struct {
	Changes     int64          `json:"changesPerSecond"` // of the source table
	Item        Size           `json:"itemBytes"`
	OnlyInserts bool           `json:"onlyInserts"` // a record then has one image, not two
	Players     int64          `json:"players"`     // who share the changes evenly
	Badges      int64          `json:"badgesPerThousandChanges"`
	Window      *time.Duration `json:"batchWindow,omitempty"` // nil takes each template's
	Consumers   []string       `json:"consumers"`
}

// What a Load may be.
const (
	MaxChanges = 1_000_000 // what there is a plan for
	MaxItem    = 400 * KB  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
	MaxWindow  = 300 * time.Second
)

// Validate tells every fault at once.
func (l Load) Validate() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if l.Changes < 0 || l.Changes > MaxChanges {
		fault("--changes: %d is not from 0 to %d a second", l.Changes, MaxChanges)
	}
	if l.Item < 1 || l.Item > MaxItem {
		fault("--item: %d B is not from 1 B to 400KB, the most that an item of DynamoDB may have", l.Item)
	}
	if l.Players < 1 {
		fault("--players: %d is less than 1", l.Players)
	}
	if l.Badges < 0 || l.Badges > 1000 {
		fault("--badges: %d is not from 0 to 1000 for each 1,000 changes", l.Badges)
	}
	if w := l.Window; w != nil && (*w < 0 || *w > MaxWindow || *w%time.Second != 0) {
		fault("--batch-window: %v is not of whole seconds from 0s to 300s", *w)
	}
	if len(l.Consumers) == 0 {
		fault("--consumers: there is none; there are %s", strings.Join(Consumers(), ", "))
	}
	for i, name := range l.Consumers {
		switch {
		case !slices.Contains(Consumers(), name):
			fault("--consumers: there are no figures of %q; there are %s", name, strings.Join(Consumers(), ", "))
		case slices.Contains(l.Consumers[:i], name):
			fault("--consumers: %s is named twice", name)
		}
	}
	return errors.Join(faults...)
}

// Size is a number of bytes, written as 100B, 1KB or 1.5KB.
type Size int64

// KB is what DynamoDB counts its units in: 1,024 bytes.
const KB Size = 1024

// UnmarshalText reads a size with its unit: a number alone would leave open of what.
func (s *Size) UnmarshalText(text []byte) error {
	number, unit := string(text), Size(1)
	if cut, ok := strings.CutSuffix(number, "KB"); ok {
		number, unit = cut, KB
	} else if cut, ok := strings.CutSuffix(number, "B"); ok {
		number = cut
	} else {
		return fmt.Errorf("%q has no unit: write 100B or 1KB", text)
	}
	n, err := decimal.NewFromString(number)
	if err != nil {
		return fmt.Errorf("%q is no size: write 100B or 1KB", text)
	}
	n = n.Mul(unit.decimal())
	if !n.IsInteger() || n.GreaterThan(decimal.NewFromInt(1<<40)) || n.IsNegative() {
		return fmt.Errorf("%q is not a whole number of bytes", text)
	}
	*s = Size(n.IntPart())
	return nil
}

func (s Size) String() string {
	if s%KB == 0 && s > 0 {
		return strconv.FormatInt(int64(s/KB), 10) + " KB"
	}
	return strconv.FormatInt(int64(s), 10) + " B"
}

func (s Size) decimal() decimal.Decimal { return decimal.NewFromInt(int64(s)) }

// units is how many units of 1 KB DynamoDB counts.
func (s Size) units() int64 { return int64((s + KB - 1) / KB) }
