// Package ranked keeps a table the same in several regions, in each of which applications
// write to it, where an attribute that all writers keep ranks the versions of an item. Of
// two versions that with the greater rank stays, whatever the clocks say.
//
// A [Change] is written to each other region if it ranks above what is there. What
// replication writes comes back as a change, finds that all other regions hold it, and ends
// there. See Let an attribute decide, in README.md of package replication.
//
// # Guarantees
//
//   - Once every change has been given to Apply by the function of its region, in any order, any
//     number of times, side by side, and wherever a caller died, all regions hold the version with
//     the greatest rank of each item, or none if that was removed (TestSimulatorAttribute of
//     consumers/replication, TestSimulatorAttributeThreeRegions of consumers/replication).
//   - Items carry nothing of replication's: mark.Attribute isn't written (TestRankedCalls of
//     consumers/replication).
//   - A version that loses is in the conflict log before replication overwrites or deletes it,
//     unless the change that did so was made over it (TestRankedFunctionDies of
//     consumers/replication, TestRankedBatchOfOneWriter of consumers/replication).
//   - Apply and Repair may be called again after any error. A change that can't be ranked, or is
//     beyond the horizon, is rejected (TestRankedFunctionDies of consumers/replication,
//     TestRepairRanked of consumers/replication, TestNoRank of consumers/replication).
//
// # Invariants
//
// Check these before a change: the test that each names fails without it.
//
//   - Every change is brought to all other regions, echoes too. That is the whole proof: what any
//     region ever held comes to all others, and the greatest stays. So a change that lowers a rank
//     stands for its old image: nobody else would bring that back to its region
//     (TestEveryGuardOfRanksIsNeeded of consumers/replication).
//   - A value that the writer had before him doesn't make a version smaller than his: two versions
//     may have one value, and only a look at the whole item tells them apart. So a first try never
//     overwrites the change's own value (TestEveryGuardOfRanksIsNeeded of consumers/replication).
//
// # Not guaranteed
//
//   - That a write stays which doesn't raise the attribute: it is undone.
//   - A row in the conflict log for a removal that loses: there is nothing to keep.
//   - Which of two versions with one rank stays: a hash decides, the same in all regions.
package ranked
