// Package operatetest tests any consumer's comparison, repair and backfill, as package simulator tests its function: against the real
// servers, with faults on the wire.
//
// # Test your consumer
//
// Say how to write items of the source, how to have the destination hold them as your function would, how to damage the destination,
// and what it holds:
//
//	func TestOperate(t *testing.T) {
//		operatetest.Run(t, operatetest.Suite{New: newWorld})
//	}
//
//	func newWorld(t *testing.T) *operatetest.World {
//		… // tables on a real server
//		return &operatetest.World{
//			Write:    …, // writes an item of the source
//			Remove:   …, // removes it
//			Deliver:  …, // the function applies the item's last change
//			Damages:  …, // what may be wrong, one entry for each kind
//			Bad:      …, // items that the declaration doesn't expect, or the destination can't hold
//			Held:     …, // what the destination holds, by item
//			Compare:  …, // the comparison, with all its calls through this HTTP client
//			Backfill: …, // the backfill; nil: there is none
//		}
//	}
//
// The package's own test has a world whole: a table that is copied.
//
// # What is tested
//
// Of a comparison:
//
//   - equal sides have no difference, and each damage is found under its name;
//   - what arrives while it looks again doesn't differ, and what the destination takes all the time isn't judged;
//   - what isn't applied any more differs, though the source is written all the time;
//   - it writes nothing; and interrupted at any call it returns an error, not a result;
//   - a bad item keeps no other one from being compared.
//
// Of a repair:
//
//   - it makes the destination what it would be without the damage;
//   - it deletes nothing unless it is asked to, and more than its bound only if the number is named: an empty source empties nothing;
//   - what was written after the comparison stays;
//   - interrupted at any call, another repair does the rest.
//
// Of a backfill:
//
//   - it brings every item that the source has, overwrites nothing newer, and brings nothing back that was removed meanwhile;
//   - interrupted at any call, before or after the server got the call, another run brings the rest;
//   - a bad item keeps no other one from being brought.
//
// # When it fails
//
// The error says what was done, at which call it was interrupted, and what the destination holds instead.
package operatetest
