// Package leaderboard keeps views of tables up to date: exact sums, counts and
// latest values of their items. The views are declared in views.yaml; package
// keeper does the rest.
//
// A view with a shard and a sum or count is a board: an index orders each shard's items
// by the number, and all shards together give the top N. Package boards reads it.
//
// # Guarantees
//
//   - Once every change has been delivered, each sum is the exact decimal sum of the viewed items
//     in the table, whatever the stream repeated, reordered or delivered to two instances at once,
//     and wherever a function died. Inserts, modifies and removes all count; what happens to items
//     that expire is a setting (TestSimulator, TestEveryOrderOfFiveChanges, TestEveryCrash,
//     TestExactUnderFaults).
//   - A change that a view can't use (a number is missing or none, or the sum would need more than
//     38 digits) becomes a dead letter, one for all views that refuse it; other views and other
//     changes count (TestBadScores, TestOneViewRejects, TestSumPastTheLimit).
//
// # Invariants
//
// Check these before a change: the test that each names fails without it.
//
//   - The indexes of the boards project neither all attributes nor the set of ids. Otherwise every
//     addition rewrites the index (TestIndexesLeaveOutTheChangeIDs).
//
// # Not guaranteed
//
//   - The order among items of a board whose equal totals were reached in the same
//     microsecond, beyond their names.
//   - That a view is up to date: it follows the table by the time that the stream
//     takes, typically a second or two. The views of one change are not brought
//     up to date at one moment.
package leaderboard
