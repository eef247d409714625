// Package index makes the requests to OpenSearch that functions and people's commands share. [Client.DualWrite] writes documents
// as the function does: to a route's index and to the one that is being built in its place.
//
// A write passes five steps: DualWrite chooses the indexes, WriteWithRetry repeats what OpenSearch can't take for a while,
// sendInChunks splits by size, sendBulk makes one request, readBulkAnswer reads each document's outcome.
//
// # Guarantees
//
//   - An older version never overwrites a newer one (TestEveryOrder of consumers/search, TestEveryGuardIsNeeded of
//     consumers/search).
//   - A document is written to every index that was in place or being built at the moment of the request (TestReindex of
//     consumers/search/ops, TestSimulatorReindex of consumers/search/ops).
//   - Every request can be repeated: it changes nothing the second time (TestEveryCrash of consumers/search, TestBrokenAnswer of
//     consumers/search).
//
// # Invariants
//
// Check these before a change: the test that each names fails without it.
//
//   - The _index in a bulk answer says whether a fault is the document's. If it is the alias, the request never reached an
//     index: it has to come again, whatever its status (TestBlockedIndex of consumers/search).
//   - A function learns of a reindex from the answer to the very request that writes. OpenSearch resolves all aliases of a bulk
//     request in one state of its cluster, so what the request found is true for its documents. A look before would leave a gap.
//     So would a second write of the missing document alone: by then the alias may lead to the index of the next reindex. So the
//     second request writes to both (TestEveryGuardOfAReindexIsNeeded of consumers/search/ops).
//   - A bulk request waits a minute for a red index unless it is told otherwise, which is longer than the function has. A batch
//     for several indexes would never be answered, and what was written to the others would come again until it is given up
//     (TestRedIndex of consumers/search, TestEveryGuardIsNeeded of consumers/search).
//
// # Not guaranteed
//
//   - That a search sees a document at once: OpenSearch shows it after the index's next refresh.
package index
