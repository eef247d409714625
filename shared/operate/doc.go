// Package operate is the engine behind what people run on any consumer: sluice verify, its repair, and sluice backfill.
//
// A consumer's package ops registers a [Consumer]. What it offers, it says by optional interfaces: [Verifier], [Backfiller], [Linter],
// [Rebuilder], [Commander]. An adapter for verify is a [Comparison], whose looks differ from consumer to consumer on purpose; [Compare]
// judges what they find. One that is a [Repairer] says how an item is repaired. A [Source] is a table that is read whole. Package
// operatetest in shared/consumertest tests any adapter.
//
// A verb that writes makes a [Plan] by reading alone, and asks for consent by [Consent.To]. It writes only after that returned true.
//
// # Guarantees
//
//   - A difference counts only if it was there at every look for Judging.Patience, while the destination's side of it didn't change
//     (TestCompare).
//   - A comparison ends soon after Judging.Most, whatever changes meanwhile, and says what it didn't judge (TestCompare).
//   - A comparison that an error ended reports no difference, and [Verified.Repair] repairs nothing then (TestCompareFails).
//   - [Consent.To] returns true only if the plan was printed, and somebody agreed to it: by an answer on a terminal, or in advance
//     (TestConsent).
//   - A plan that deletes more than its bound gets no consent unless the number was named (TestRemoval, TestVerifiedRepair).
//   - A scan that resumes at its cursors leaves no item out (TestSourceResume).
//   - A context from [Watch] ends when a call gets no answer for longer than the limit (TestWatchEnds).
//
// # Invariants
//
// Check these before a change: the test that each names fails without it.
//
//   - A scanned item counts as [ReadMargin] older than its reading, so that no change which the scan didn't see is older than the
//     scan (TestSourceVersion, TestEveryGuardOfAReindexIsNeeded of consumers/search/ops).
//
// # Not guaranteed
//
//   - That the destination is at the time of the writes what it was at the time of the plan. The consumers' own conditional writes see
//     to that.
//   - That a destination was equal all the time since the last comparison.
package operate
