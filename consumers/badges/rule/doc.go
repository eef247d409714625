// Package rule reads the rules by which players earn badges, and tells which badges a
// player's state earns. It makes no calls.
//
// A [Book] is what a file declares: what a play is, in one block or several, and the rules. It comes with the
// views (package view) that keep players' states: sums and counts in a few items for
// each player, however many plays there are. A rule looks at nothing but the state, so
// the order in which plays arrive, and how often, makes no difference.
//
// Each kind of rule is a file: what the file of rules may say, what a state earns, and how far
// it is. To add a kind, write such a file, and add its name to kinds in kind.go.
//
// # Guarantees
//
//   - [Rule.Earned] depends on the state alone. For a rule that isn't revoked, a state with larger
//     sums and counts earns all that one with smaller ones does. A rule of a kind of which this
//     isn't true is always revoked, and nobody is told of its badges (TestEarned,
//     TestMorePlaysEarnNoLess).
//   - A rule's awards depend on the plays of its own block alone, whatever else the player does (TestRulesOfABlock,
//     TestFoldOfBlocks). The states of a file's only block have the names that they had before there were several
//     (TestStatesOfBlocks).
//   - [Parse] returns no book unless the whole file is right, and every fault at once, with its
//     line and column (TestFaultsOfAFile).
//
// # Not guaranteed
//
//   - That an award's date is exact: see [Award.On].
package rule
