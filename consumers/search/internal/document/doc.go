// Package document makes documents of items. A [Route] declares which items of a table are indexed and under which names; the
// package makes no calls. An item's document has an id made of the item's keys, and a version made of its change's time.
//
// # Guarantees
//
//   - Different items have different ids, whatever their keys hold (TestDocumentIDs, TestEveryEscapeIsNeeded).
//   - Of two changes of an item the later one has the greater version, on every instance (TestVersions).
//   - A document keeps every digit of every number (TestDocument).
//   - What OpenSearch can't take under its own name or in its own form is kept in [ItemField] (TestDocument,
//     TestNamesNeverCostTheDocument of consumers/search/ops).
//
// # Invariants
//
// Check these before a change: the test that each names fails without it.
//
//   - Deletions in OpenSearch are documents. The engine forgets its own after gc_deletes or a restart. So a removal is an
//     ordinary version that the alias' filter hides, and only the horizon ends it. A search that doesn't go through the
//     filtered alias finds tombstones, and so does a GET by id (TestRestart of consumers/search, TestPlainDeleteIsCaught of
//     consumers/search).
//
// # Not guaranteed
//
//   - Which of two changes in one microsecond has the greater version. All instances choose the same one, but not always
//     the one that happened later; in one of 2,048 cases both have the same version.
package document
