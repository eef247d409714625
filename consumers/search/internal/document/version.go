package document

import (
	"fmt"
	"math"

	"sluice/shared/change"
)

// tieBits are the lowest bits of a version. They distinguish changes of one time. 11 bits leave room for times until the
// year 2112.
const tieBits = 11

// Version returns a change's place among the changes of its item, as the document's external version: the time in
// microseconds, followed by bits of the change's hash. So every instance finds the same one of two simultaneous changes
// newer. The error says that the time is too far in the future.
func Version(c *change.Change) (int64, error) {
	if c.Version > math.MaxInt64>>tieBits {
		return 0, fmt.Errorf("its time %v is too far in the future for a document's version", c.Time())
	}
	return c.Version<<tieBits | int64(c.Hash()&(1<<tieBits-1)), nil
}

// Tie reports whether two versions are of different changes at one time.
func Tie(a, b int64) bool { return a != b && a>>tieBits == b>>tieBits }

// ScannedVersion is the version of a document made of a scanned item. It is less than that of any change at the same
// time.
func ScannedVersion(c *change.Change) int64 { return c.Version << tieBits }
