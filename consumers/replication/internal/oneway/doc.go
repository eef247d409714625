// Package oneway copies items from one table into another, which only replication
// writes to. The copy ends up as the source, whatever comes twice, late or in the wrong
// order.
//
// Each copied item carries the mark of its change (package mark). A put goes through only
// where there is nothing or something older. A remove first leaves a tombstone,
// the mark alone, in a table beside, and then deletes what is older. A put that
// finds nothing looks for a tombstone afterwards, and takes itself back if that is
// newer: whichever of the two comes second sees the other. So no transaction is
// needed.
//
// # Guarantees
//
//   - Once every change has been given to Put or Remove, in any order, any number of times, side by
//     side, and wherever a caller died, the table holds for each item what its newest change left
//     (TestEveryOrder of consumers/replication, TestEveryInterleaving of consumers/replication).
//   - Both may be called again after any error (TestCutAtEveryCall).
//   - Beyond the horizon, when tombstones are forgotten, nothing is written: such a change is
//     rejected (TestTooOld).
//
// # Invariants
//
// Check these before a change: the test that each names fails without it.
//
//   - A put onto nothing looks for the tombstone after it, also when it was refused: an earlier try
//     may have died in between, and only the next one can find that out (TestEveryGuardIsNeeded of
//     consumers/replication).
//   - A remove writes its tombstone before it deletes. Whichever of a put and a remove comes second
//     sees the other (TestEveryGuardIsNeeded of consumers/replication).
//
// # Not guaranteed
//
//   - That a reader never sees an item that was removed. Between a late put and
//     its look at the tombstone the item is there.
//   - What a put does that reaches DynamoDB after its sender gave up waiting for
//     it, and after the item's removal was done. The item is back then, until its change
//     comes again or sluice verify replication finds it. The put's condition sees an
//     absent item either way. Only a transaction with the tombstone would tell, at four
//     times the cost of every insert.
//   - Anything if others write to the copy too. An item of theirs, without a
//     mark, counts as older than any change. Their removals leave no tombstone.
package oneway
