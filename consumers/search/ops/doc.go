// Package ops has what people run to operate search: comparing an index with its table, repairing it, filling it from a
// table that exists, and building it again with another definition. No function links this package.
//
// # Guarantees
//
//   - Nothing here overwrites a newer document with an older one: an item that was read counts as a change made [ReadMargin]
//     before, and is written by the rules of the consumer.
//   - A backfill or reindex that was stopped anywhere can be resumed with the same number of segments.
//   - A difference that is reported was seen twice.
//
// # Not guaranteed
//
//   - That a comparison finds documents whose ids are hashes, if the route leaves the keys out; see [Verification].
package ops
