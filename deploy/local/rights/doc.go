// Package rights compares what the role of a function allows with what the function does: a [Recorder] stands between the
// function and the servers and notes which rights its calls need, and [Compare] tells what the role lacks, and what it has
// for nothing.
//
// # Guarantees
//
//   - A call that no right is known for is a fault (TestUnknownCallIsAFault).
//   - An action or a resource with a wildcard is wider than any call. It is a fault, unless the wildcard stands for parts that
//     only the calls tell, such as the key of an object (TestCompare).
//
// # Invariants
//
// Check these before a change: the test that each names fails without it.
//
//   - A role is compared with the calls that a test saw. So a new call needs a case in its consumer's test of rights as well as
//     a statement; without the case the statement counts as unused (TestCompare).
//
// # Not guaranteed
//
// Only what was seen is known: a call that no test makes is missing here too. What Lambda itself does in the function's
// name, and the services that use a key for it, isn't seen on one machine; there the lists of AWS's documentation count.
package rights
