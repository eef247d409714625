package document

import (
	"fmt"
	"math"

	"sluice/shared/change"
)

// tieBits are the last bits of a version, which tell changes of one time apart. 11
// of them leave the time room until the year 2112.
const tieBits = 11

// Version returns where a change stands among those of its item, as a document's
// external version: its time in microseconds, and behind it some bits of its hash,
// so that of two changes at one time every instance finds the same one newer.
func Version(c *change.Change) (int64, error) {
	if c.Version > math.MaxInt64>>tieBits {
		return 0, fmt.Errorf("its time %v is too far in the future for a document's version", c.Time())
	}
	return c.Version<<tieBits | int64(c.Hash()&(1<<tieBits-1)), nil
}

// Tie tells whether two versions are of different changes at one time.
func Tie(a, b int64) bool { return a != b && a>>tieBits == b>>tieBits }

// ScannedVersion is the version of a document made of a scanned item. It is less
// than that of any change at the same time.
func ScannedVersion(c *change.Change) int64 { return c.Version << tieBits }
