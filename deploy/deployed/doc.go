// Package deployed finds consumers in CloudFormation stacks on AWS ([Find]), and reads how they are doing ([Read]): what
// "sluice status --stack" shows.
//
// # Guarantees
//
//   - A consumer is found by its own stack and by every stack around it (TestFind).
//   - Every consumer of the stacks and of those nested in them is reported, also one whose mapping is gone or disabled
//     (TestStatusOfNestedStacks). A consumer is a function that is called Function in its template, as "sluice new consumer" makes it.
//   - What isn't known is nil, never 0, and Notes has the reason (TestMetricsOfAnotherNameAreNotNone). A refused call takes
//     away only its own answer (TestRefusedMetrics).
//   - A source that ended is told from one without changes: a table or stream that is gone or was made again, a Kinesis
//     destination that isn't active, a disabled mapping, and until when nothing is lost (TestSourcesThatEnded).
//   - CloudWatch is asked once for all consumers: for seven metrics a consumer and one a stream (TestCloudWatchIsAskedOnce).
//
// # Not guaranteed
//
//   - That counts are complete: CloudWatch gets to know what happened up to a minute or two later.
//   - That counts are of one stack. What a consumer logs is counted by its name, so two stacks of one consumer in a region
//     have one sum of it; what Lambda counts (Invocations, Failed, Behind) is by function.
//   - That a change counts once: one that Lambda delivers again after it was done is Done again, as a duplicate.
package deployed
