// Package aggregate keeps exact sums, counts and latest values in DynamoDB items, fed with amounts that
// may be repeated, reordered, cut off by a crash and delivered twice at the
// same time.
//
// An item remembers the ids of the changes it has taken in a small binary set
// of its own, so one conditional update adds an amount and its id, or many of
// them. When the set is full, a transaction moves the oldest ids to a bucket in
// a ledger table; the newest time in the bucket becomes the item's spill time.
// A change not newer than that is late: it is looked up in the ledger, and
// added together with a ledger row of its own.
//
// Sums may be made anew from their source while changes go on: see Rebuilds and
// Stand here, and package rebuild for the protocol.
//
// # Guarantees
//
//   - Each amount is in the sum exactly once, whatever the order, however often
//     and by however many callers it is added, and wherever one of them dies.
//   - A latest value is that of the newest change that has one, by version, and
//     by the hash in its id among changes with the same version.
//   - Sums are exact decimals; one that would need more than DynamoDB's 38
//     digits is refused, never rounded.
//   - A change older than the horizon is rejected, never guessed.
//
// # Not guaranteed
//
//   - That a change reported as a duplicate was added by somebody else: it may
//     have been this call, if an answer was lost and the SDK asked again.
//   - Anything about items that others delete, or whose sums, values,
//     ChangeIds, SpillTime, LatestChange or Generation others write.
package aggregate
