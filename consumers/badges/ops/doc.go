// Package ops is what people run for badges: it compares badges with plays, repairs and backfills them, plays cases through the
// rules, and explains to a player what is earned or missing. No function links it.
//
// # Guarantees
//
//   - Verify reports only what two looks found alike. A player whose changes arrive meanwhile is named as moving, not as wrong.
//   - Repair and Backfill store awards by the function's own conditions, so both may run while the function does.
//   - Nobody is notified of a repaired or backfilled award unless asked for.
//   - Repair revokes nothing unless asked for; Backfill never does.
//
// # Not guaranteed
//
//   - While people play, Verify may miss a sum that is wrong by less than what they play.
//   - The time of an award whose play can't be found is that of the repair.
package ops
