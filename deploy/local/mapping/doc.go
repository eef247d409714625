// Package mapping stands in for Lambda's event source mapping on a Kinesis stream. It reads the stream's shards, makes
// batches, and invokes the consumer's real binary with them, as the settings in the consumer's own template say.
//
// It follows the Lambda Developer Guide (https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html and the pages below it):
// batch size and window, the limit of 6 MB on a payload, parallelization, partial failures, bisecting, retries, the age of
// records, and on-failure destinations.
//
// # Guarantees
//
//   - Every record from the starting position on reaches the function at least once, unless it is given up: then it is
//     counted, logged and sent to the on-failure destination (TestRecordsSurviveKills, TestDocumentGoesToTheQueue).
//   - Records of one partition key reach it in the order of their sequence numbers, as long as none is delivered again (TestEveryRecordIsDeliveredOnce).
//   - A shard's checkpoint never passes a record that is not done (TestCheckpointNeverPassesAnUnfinishedRecord). A Mapping
//     that Runs again resumes there (TestRunGoesOnFromTheCheckpoint).
//   - A shard is read only once its parents are done (TestReshard).
//   - A stream that is deleted, or made again under its name, is followed: the new one is read from its beginning, and [Stats]
//     says so (TestStreamMadeAnewIsReadFromItsBeginning).
//   - A mapping whose stream doesn't answer is Unknown after some seconds, and so is how far it is behind (TestSilentStreamIsUnknown).
//   - What was read and isn't done takes no more than [Config.Memory], in equal parts for each shard (TestBacklogIsBoundedInMemory).
//
// # Invariants
//
// Check these before a change: the test that each names fails without it.
//
//   - All mappings of a local stack share one memory, and each shard has an equal part. With one pool for all, a consumer that
//     makes no progress would take it whole (TestRoomsShareTheMemory, TestBacklogIsBoundedInMemory).
//   - A stream that was deleted and made again has the old one's name, ARN and shard ids. A Mapping knows it by the first sequence
//     number of a shard: an iterator of the old stream would read on at the same place in the new one
//     (TestStreamMadeAnewIsReadFromItsBeginning).
//
// # As AWS does it
//
// Lambda's documentation is silent here, but responses recorded on AWS are not:
//
//   - The retries are counted anew once the checkpoint has moved, with bisecting and without it.
//   - The answers "", [] and null are success.
//   - The document of records that are given up for their age has no responseContext. For records that were never delivered
//     it has a requestId all the same, and 1 as approximateInvokeCount.
//   - The document of records that the function reported until their retries were used up has "functionError": null.
//   - An object in S3 has the mapping's UUID in its key, not the function's name.
//
// # What is not known of AWS
//
//   - Any other answer that is no JSON object, or whose batchItemFailures is no list, fails the whole batch.
//   - Which partition keys share a lane: here an MD5 of the key decides.
//
// # Not emulated
//
// Filters, which a template must not have; enhanced fan-out, tumbling windows, SNS and Kafka destinations, concurrency limits,
// event source mapping metrics, de-aggregation of KPL records. Each lane keeps one process of its own, where Lambda shares them.
// A function that never asks for an invocation ends Run after three attempts; Lambda would take each for a failed invocation.
package mapping
