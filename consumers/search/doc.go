// Package search keeps indexes of OpenSearch the same as tables. What is indexed
// where, routes.yaml declares: a [Route] for each index, which may leave items or
// attributes out and rename attributes. README.md says how each type is indexed.
//
// Each index has two aliases. Its own name shows what the table holds: people
// search there. The name with -all behind it shows the tombstones of removed items
// too: Sluice writes there, and nobody else should.
//
// A batch takes this way: [Search.ApplyBatch] sorts its changes by item, writeAll keeps
// to the time that is left, tryNewest writes each item's newest change through
// DualWrite of package index. Package document makes ids, versions and documents. What
// people run (verify, backfill, reindex) is in package ops, which no function links.
//
// # Guarantees
//
//   - Once every change has been delivered, each index shows exactly what its route takes of the
//     table's items, whatever the stream repeated, reordered or delivered to two instances at once,
//     and wherever a function died (TestSimulator, TestEveryOrder, TestEveryCrash).
//   - An older change never overwrites a newer one, and a removed item never comes back, not after
//     the engine restarted or forgot its own deletes either. A change beyond the horizon is a dead
//     letter (TestRestart, TestLife, TestSimulatorFewItems).
//   - Different items have different documents, whatever their keys hold (TestDocumentIDs).
//   - A document keeps every digit of every number, as text in its source (TestDocument,
//     TestTranscodersAgree).
//   - An index that is rebuilt with another definition equals the table at the moment in which it
//     takes the old one's place. No search in between finds less than before (TestReindex,
//     TestSimulatorReindex, TestReindexLeavesNoHole).
//   - What one document's index refuses becomes a dead letter; other documents and other indexes
//     are not affected (TestRefusedDocuments, TestDocumentsThatDoNotFit, TestOneIndexBlocked).
//
// # Invariants
//
// Check these before a change: the test that each names fails without it.
//
//   - Of an item's changes in a batch only the newest is written, but a rejected one isn't the
//     newest, and with a newest one that has to come again all before it have to, too
//     (TestEveryGuardIsNeeded).
//
// # Not guaranteed
//
//   - That an index ever held every version of an item: of several changes of an
//     item in a batch only the newest is written.
//   - That a search sees a change at once: OpenSearch shows it after its next refresh.
//     One that was seen in the second before an index is replaced may be seen again
//     only after that, too.
//   - That a number is found by more digits than its mapping's type has.
//   - Which of two changes of an item at one time stays: the same one in all but
//     one of 2,048 cases, where the first to arrive does; not always the one that
//     happened later. Metric Ties counts them as far as they are seen.
//   - Anything for an index that others write to.
package search
