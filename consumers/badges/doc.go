// Package badges awards badges to players by declared rules, and notifies each player of
// each badge. README.md describes the rules; package rule reads them. What people run is in package ops.
//
// # Guarantees
//
//   - Once every change has been delivered, a player has every badge that the plays in
//     the tables earn by the rules, each once, whatever the stream repeated, reordered
//     or delivered to two instances at once, and wherever a function died (TestSimulator, TestSimulatorTwoTables, TestEveryCrash).
//   - The player is notified of each badge at least once, and every repeat carries the same id. The change
//     that earned it comes again until SNS has confirmed the notice (TestTopicDown).
//   - No badge is stored, and no notice sent, that the plays never earned, as far as they had
//     arrived (TestSimulatorCorrections).
//   - What a play costs doesn't grow with the plays before it (BenchmarkUnits).
//
// # Invariants
//
// Check these before a change: the test that each names fails without it.
//
//   - The write that crosses a threshold knows it: the item that the write returns, less what it added, is
//     the item just before. That holds for one write and no duplicate. Otherwise nobody knows what an
//     earlier delivery got done, and what is stored is read (TestEveryGuardIsNeeded).
//   - An award that needs several items of a state is looked for after the write, and compared with what
//     is stored, never with the state without the own write: of two that write at once, each would take
//     the other's write for the one that earned the award (TestSimulator).
//
// # Not guaranteed
//
//   - That a notice comes once: it is sent again with the same id if
//     an answer was lost or a function died. A FIFO topic drops what comes within five
//     minutes.
//   - That no notice is sent for plays that are being corrected: if a play's removal
//     arrives after later plays, they count together for a while. A rule with revoke
//     takes the badge back then.
//   - That an award is stored, notified and marked together: these are three steps, in this order.
//   - That the time of an award is that of the very play that completed it, when plays
//     arrive out of order; it is that of one of those that had arrived.
package badges
