// Package replica writes copies of items into a table, in this region or another,
// so that the table ends up as the one that is copied whatever comes twice, late
// or in the wrong order.
//
// Each copy carries the mark of its change (package mark). A put goes through only
// where there is nothing or something older. A remove first leaves a tombstone,
// the mark alone, in a table beside, and then deletes what is older. A put that
// finds nothing looks for a tombstone afterwards, and takes itself back if that is
// newer: whichever of the two comes second sees the other. So no transaction is
// needed.
//
// That is Table. Peers are tables that all are written to by applications too,
// each in its region: an Edit is such a change, on its way to the others. See
// README.md of package replication, Write in several regions. Where an attribute
// that the writers keep ranks the versions, a change is Ranked instead.
//
// # Guarantees
//
//   - Once every change has been given to Put or Remove, in any order, any number
//     of times, side by side, and wherever a caller died, the table holds for each
//     item what its newest change left.
//   - Both may be called again after any error.
//   - Beyond the horizon, when tombstones are forgotten, nothing is written: such a
//     change is rejected.
//
// # Not guaranteed
//
//   - That a reader never sees an item that was removed: between a late put and
//     its look at the tombstone it is there.
//   - What a put does that reaches DynamoDB after its sender gave up waiting for
//     it, and after the item's removal, which came in between, was done: the item
//     is back, until its change comes again or sluice verify replication finds
//     it. Its condition sees an absent item either way; only a transaction with
//     the tombstone would tell, at four times the cost of every insert.
//   - Anything if others write to a Table too. An item of theirs, without a
//     mark, counts as older than any change; their removals leave no tombstone.
package replica
