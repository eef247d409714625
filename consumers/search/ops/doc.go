// Package ops has what people run to operate search: comparing an index with its table, repairing it, filling it from a
// table that exists, and building it again with another definition. No function links this package.
//
// # Guarantees
//
//   - Nothing here overwrites a newer document with an older one: an item that was read counts as a change made [ReadMargin]
//     before, and is written by the rules of the consumer (TestBackfill, TestReindexClocks, TestReindexRepeatedChange).
//   - A backfill or reindex that was stopped anywhere can be resumed with the same number of segments
//     (TestBackfillBrokenOff, TestReindexKilledAtEveryCall).
//   - A difference that is reported was seen twice (TestVerifyWhileItIsWritten).
//
// # Invariants
//
// Check these before a change: the test that each names fails without it.
//
//   - A new index is filled only when every node of OpenSearch has said that it knows the index, and when no bulk request
//     from before is under way: such a request could write a tombstone to the old index alone, after tombstones were copied
//     (TestReindexWaitsForRequests).
//   - Of two reindexes that begin at once both must choose the same number. So indexes are listed before aliases are looked
//     up, never after (TestReindexBegunMeanwhile).
//   - The move and the abort of a reindex require its alias -next (must_exist), so a request that comes late does nothing. A
//     deletion of the index in the same request would be done first, whatever the rest requires (TestReindexOutrun).
//
// # Not guaranteed
//
//   - That a comparison finds documents whose ids are hashes, if the route leaves the keys out; see [Verification].
package ops
