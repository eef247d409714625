// Package stack runs the whole pipeline on one machine: the tables, the stream and every consumer of a checkout, made
// from the templates that AWS gets, on real servers. [Start] runs it in this process; [Up] has another process do so
// ([Serve]) and stay.
//
// # Guarantees
//
//   - One stack a run directory: the process that runs it holds a lock, so no other process is ever taken for it (TestUpAndDown,
//     TestStackCarriesAChangeToItsConsumer).
//   - What [Start] began is ended by [Stack.Stop], also when Start fails half way (TestInterruptedUpLeavesNothing), and when the
//     process is killed (TestNothingOutlivesAKilledParent of deploy/local/servers).
//   - A server, bridge or mapping that ends by itself is reported at once by [Stack.Failed]; [Serve] then stops the
//     rest and says why in the state (TestDeadServerIsReportedAndTheRestStopped).
//   - The changes of every table with a KinesisStreamSpecification are carried, in whichever template it is, also those
//     that consumers make. [Stack.Drain] knows when all is done (TestConsumersWritesAreCarriedToo).
//   - A consumer whose template has the output SharedRegions runs in each of these regions, with all of deploy there
//     (TestConsumersInSeveralRegions). Regions share the servers, and nothing else (TestSharedTableInTwoRegions).
//   - The functions are the consumers' own binaries, built as for Lambda (TestStackCarriesAChangeToItsConsumer).
//
// # Invariants
//
// Check these before a change: the test that each names fails without it.
//
//   - A stack is drained when that is seen, not after a wait. Consumers' writes may be changes in the stream too, so a
//     count of the application's writes isn't enough: bridge and mappings must be at rest twice, and every table read
//     to its end in between (TestIdle, TestStill, TestConsumersWritesAreCarriedToo). That holds for all regions at
//     once, because consumers write into other regions (TestStillInAllRegions).
//
// # Not guaranteed
//
//   - Anything kept: every start begins with empty tables, streams, queues and buckets, and with no subscriptions but
//     those of the templates.
package stack
