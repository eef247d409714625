// Package function runs a Lambda function's real binary, as the execution environment of Lambda does: it serves the
// Runtime API on loopback, starts the binary with Lambda's environment variables, hands it one invocation at a time, and
// keeps it for the next ones.
//
// # Guarantees
//
//   - An invocation has one of three ends: the function's answer; a [Failure], as Lambda would report it; or an error, if
//     the function never got it or ctx ended (TestProcessIsKeptForTheNextInvocations, TestFunctionThatNeverStarts, TestEndOfContextKills).
//   - A function that runs into its timeout is killed with SIGKILL, and one that died is started again for the next
//     invocation (TestTimeout). An answer that a dying function gave in full counts (TestDeathIsAFailureAndANewProcess).
//   - The process does not outlive us, however we end (TestChildDiesWithItsKilledParent of deploy/local/process).
//
// # Not guaranteed
//
// Memory, CPU, disk and network are not limited, the root is not read-only, and an environment is never frozen between
// invocations. There are no extensions, no X-Ray and no SnapStart. Init may take the function's timeout; Lambda stops it after
// ten seconds and tries again. The invocation ends with the answer, not with the next poll.
package function
