// Package deployed tells how the consumers of CloudFormation stacks on AWS are doing: what "sluice status --stack" shows.
// It only reads.
//
// # Guarantees
//
//   - Every consumer of the stacks and of the stacks nested in them is told of, also one whose mapping is gone or stands
//     still. A consumer is a function that is called Function in its template, as "sluice new consumer" makes it.
//   - What isn't known is nil, and Notes has the reason; it is never shown as 0. A refused call takes away only what it
//     would have told.
//   - A source that ended is told from a source without changes: a table or a stream that is gone or was made anew, a Kinesis
//     destination that isn't active, a mapping that is disabled, and until when nothing is lost by that.
//   - CloudWatch is asked once for all consumers, for at most seven metrics a consumer and one a stream.
//
// # Not guaranteed
//
//   - That counts are complete: CloudWatch gets to know what happened up to a minute or two later.
//   - That counts are of one stack. What a consumer logs is counted by its name, so two stacks of one consumer in a region
//     have one sum of it; what Lambda counts (Invocations, Failed, Behind) is by function.
//   - That a change counts once: one that Lambda delivers again after it was done is Done again, as a duplicate.
package deployed
