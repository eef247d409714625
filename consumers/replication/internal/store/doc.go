// Package store has the steps that all of replication's protocols take: the reads and
// conditional writes of one item, its tombstone, the conflict log, and what DynamoDB's
// errors mean. The protocols are packages of their own: oneway, lastwriter and ranked.
//
// # Guarantees
//
//   - A write of an item or a tombstone is done only if its condition holds. If it is refused, it
//     returns what the table holds instead (TestEveryGuardIsNeeded of consumers/replication).
//   - Reads of items and tombstones are strongly consistent (TestEveryInterleaving of
//     consumers/replication).
//   - A version that loses is in the conflict log once, however often it is kept
//     (TestRankedFunctionDies of consumers/replication, TestSimulatorTwoRegions of
//     consumers/replication).
//   - An error is a rejection only if no later try of the same step can succeed (TestMissingTables
//     of consumers/replication/internal/oneway, TestAccessDenied of
//     consumers/replication/internal/oneway, TestLimitsOfDynamoDB of consumers/replication).
//
// # Not guaranteed
//
//   - Any order of an item's changes: the protocols make it, by their conditions.
//   - That a step which failed did nothing: its answer may have got lost.
package store
