// Package declaration reads the YAML files that declare what a consumer does, and
// tells every fault of a file with its line and column.
//
// A [Reader] makes a file's text into [Node] values, in which ${NAME} has been
// replaced by a setting, and reads texts, objects and truth values from them. What
// is wrong becomes a fault, and the value read is the zero one, so that its caller
// can go on and find the next.
//
// A [Path] names a value of an item, in all declarations by one rule.
//
// # Invariants
//
// Check these before a change: the test that each names fails without it.
//
//   - What a path means depends on its text alone. If an attribute called a.b had precedence over member b of a, an
//     item's change would mean one thing for its old image and another for its new one (TestPathsInItems).
//   - Images and the SDK's items are read by one rule, since functions read the former and comparisons the latter
//     (TestPathsInItems, TestConditionsOfPaths).
package declaration
