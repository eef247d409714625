// Package lastwriter keeps a table the same in several regions, in each of which
// applications write to it. Of two versions of an item that which was written later stays.
// A version that a writer made in knowledge of another is always the later one.
//
// An [Edit] is the change of an application. The rule brings it to all other regions and
// marks its item at home, so that older changes of other regions are refused there. What
// replication writes comes back as a change too, and is skipped: it is an echo.
//
// Each item carries, in mark.Attribute, the mark of its newest change, a name for the last
// write of its data by replication, whether replication is deleting it, and the history:
// what its writer had before him. See Write in several regions, in README.md of package
// replication.
//
// Where one region owns an item, only the changes made there count (owner.go). They are
// copied by package oneway. What other regions write is undone.
//
// # Guarantees
//
//   - Once every change has been given to Apply by the function of its region, in any order, any
//     number of times, side by side, and wherever a caller died, all regions hold the same items
//     (TestSimulatorTwoRegions of consumers/replication, TestSimulatorThreeRegions of
//     consumers/replication).
//   - A removed item doesn't come back. A change beyond the horizon is rejected
//     (TestSimulatorTwoRegions of consumers/replication).
//   - A version that loses is in the conflict log of the region where it was written, unless the
//     winner's writer had it before him (TestSimulatorTwoRegions of consumers/replication,
//     TestUnseenVersionIsKept of consumers/replication).
//   - Apply, ApplyOwned and the repairs may be called again after any error
//     (TestSimulatorTwoRegions of consumers/replication).
//
// # Invariants
//
// Check these before a change: the test that each names fails without it.
//
//   - Each region sees to its own insertions. A put onto nothing is a change in its region's own
//     stream, and there the tombstone is looked for (Rule.lookBack). The writer can't do it as
//     well: its call may arrive long after the writer is gone (TestEveryGuardIsNeededBothWays of
//     consumers/replication).
//   - An edit that stands for several changes of a batch looks for a tombstone as an insert does
//     (Edit.Unsure): the changes passed over may be half-done by a function that died
//     (TestEveryGuardIsNeededBothWays of consumers/replication).
//   - What loses is kept before it is overwritten. So a put's first try goes only over what its
//     writer had before him, up to the old image's mark. After an unconditional overwrite a crash
//     would lose the loser for good (TestEveryGuardIsNeededBothWays of consumers/replication).
//
// # Not guaranteed
//
//   - The same items in all regions, if the clocks of two regions differ by more than it
//     takes to copy a change and to write its item twice after that.
//   - Anything if an application writes mark.Attribute itself.
//   - A row in the conflict log for a removal that loses: there is nothing to keep.
//   - A row for a version that another region's change overwrote, and an application's
//     after that, before the function read the version's own change. KeepUnseen keeps it
//     if all of them are in one batch.
package lastwriter
