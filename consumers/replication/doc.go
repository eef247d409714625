// Package replication copies tables into others, in this region or another, item
// by item. What is copied where, replicas.yaml declares: a [Route] for each copy,
// which may leave items or attributes out.
//
// Three protocols write, each in a package of its own: oneway for copies, lastwriter and
// ranked for tables that several regions write to. Package store has the steps that they
// share, package mark the version that an item carries.
//
// # Guarantees
//
//   - Once every change has been delivered, each copy holds exactly what its route takes of the
//     source's items, whatever the stream repeated, reordered or delivered to two instances at
//     once, and wherever a function died: all types, every digit, byte for byte (TestSimulator,
//     TestEveryCrash, TestEveryInterleaving).
//   - An older change never overwrites a newer one, and a removed item never comes back. A change
//     beyond the horizon is a dead letter (TestEveryOrder, TestOutcomes, TestTooOld).
//   - A change that one destination can't take becomes one dead letter for all that refuse it;
//     other destinations and other changes go on (TestSeveralDestinations, TestLimitsOfDynamoDB).
//
// # Invariants
//
// Check these before a change: the test that each names fails without it.
//
//   - Of an item's changes in a batch only the newest is written, but a rejected one isn't the
//     newest (TestNewestOfABatch).
//   - Older changes of an item that a batch passes over may be half-done by a function that died,
//     and nobody finishes them. So the newest one looks for a tombstone as well (TestPassedOver,
//     TestEveryGuardIsNeeded).
//
// # Not guaranteed
//
//   - That a copy ever held every version of an item: of several changes of an item
//     in a batch only the newest is written.
//   - That several items, changed by one transaction, change at one moment.
//   - Which of two changes of an item at one time stays: the same one everywhere,
//     but not always the one that happened later. Metric Ties counts them.
//   - Anything for a copy that others write to.
package replication
