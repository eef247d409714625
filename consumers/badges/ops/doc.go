// Package ops is what people run for badges: it compares badges with plays, repairs and backfills them, plays cases through the
// rules, and explains to a player what is earned or missing. No function links it.
//
// # Guarantees
//
//   - A comparison reports only what several looks found alike. What changes meanwhile is not judged (TestVerifyWhileTheyPlay, TestOperateBadges).
//   - A repair and a backfill store awards by the function's own conditions, so both may run while the function does
//     (TestOperateBadges, TestRepairLeavesWhatIsInFlight).
//   - Nobody is notified of a repaired or backfilled award unless asked for (TestVerify, TestBackfill).
//   - A repair revokes nothing unless asked for; a backfill never does (TestRepairOfBadgesIsBounded).
//
// # Not guaranteed
//
//   - While people play, a comparison may miss a sum that is wrong by less than what they play.
//   - The time of an award whose play can't be found is that of the repair.
package ops
