// Package mapping stands in for Lambda's event source mapping on a Kinesis stream. It reads the stream's shards, makes
// batches, and invokes the consumer's real binary with them, as the settings in the consumer's own template say.
//
// It follows what the Lambda Developer Guide documents under "Using AWS Lambda with Amazon Kinesis"
// (https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html and the pages below it): batch size and window, the
// limit of 6 MB on a payload, parallelization, filters, partial failures, bisecting, retries, the age of records, and
// on-failure destinations. The files here name the page they follow.
//
// # Guarantees
//
//   - Every record from the starting position on reaches the function at least once, unless a filter drops it or it is given
//     up; both are counted, and the latter is logged and sent to the on-failure destination.
//   - Records of one partition key reach it in the order of their sequence numbers, as long as none is delivered again.
//   - A shard's checkpoint never passes a record that is not done. A Mapping that Runs again goes on from there.
//   - A shard is read only once its parents are done.
//
// # Where Lambda's documentation is silent
//
//   - Retries are counted on, if only a part of a batch failed and bisecting is off: what is left has the tries of the whole
//     behind it. With bisecting on, a cut behind the first record is a split and costs none; a failure reported for the
//     first record cuts nothing and costs one.
//   - An answer that is no JSON object, or whose batchItemFailures is no list, fails the whole batch.
//   - Which partition keys share a lane: here an MD5 of the key decides.
//
// # Not emulated
//
// Enhanced fan-out, tumbling windows, SNS and Kafka destinations, concurrency limits and their throttles, event source
// mapping metrics, de-aggregation of KPL records. Each lane keeps one process of its own, where Lambda shares them among
// lanes. A function that has never got as far as asking for an invocation ends Run after three attempts, so that
// somebody sees it; Lambda would take each for a failed invocation.
package mapping
