// Package index makes the requests to OpenSearch that functions and people's commands share. [Client.DualWrite] writes documents
// as the function does: to a route's index and to the one that is being built in its place.
//
// A write passes five steps: DualWrite chooses the indexes, WriteWithRetry repeats what OpenSearch can't take for a while,
// sendInChunks splits by size, sendBulk makes one request, readBulkAnswer reads each document's outcome.
//
// # Guarantees
//
//   - An older version never overwrites a newer one.
//   - A document is written to every index that was in place or being built at the moment of the request.
//   - Every request can be repeated: it changes nothing the second time.
//
// # Not guaranteed
//
//   - That a search sees a document at once: OpenSearch shows it after the index's next refresh.
package index
