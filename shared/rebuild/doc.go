// Package rebuild makes a view's sums and counts anew from its source while changes flow: the part that a
// person starts. The part that the function plays is in package aggregate.
//
// # The protocol
//
// A source's items carry no version, a change may come late without bound, and nobody knows whether an item as it
// was read has a change in it that was made at about that time. So a rebuild has a window of versions [From, Until]
// around its scan, and a generation, a number:
//
//   - A change before the window is in the scan. It is added to the old sums alone.
//   - A change behind it isn't. It is added to the old sums and to the new ones, in one update.
//   - In the window the newest of each item of the source wins: a row in the ledger has its id and what the item
//     counts for after it. What is scanned is a row older than all of these. A transaction replaces a row and
//     adds the difference to the new sums. The old ones take the change as ever.
//
// The new sums are shadows, attributes beside the old ones, which readers go on to see until one update of an item
// puts the shadows in their place and the generation beside them. From then on the rows work on the sums
// themselves, and what is older than the window is a duplicate. Every write names the generation that it
// takes the item to be of; refused, the function reads the state anew. An item that was left out, because a function
// that had not heard of the end made it, is switched by whoever touches it; and a change that adds nothing by
// the new rules still leaves its item there, of that generation, so that nobody can add it by the old ones.
//
// Every function must know the window before there is a change in it, and its end before there is one behind it: then
// the version alone decides which way a change takes. Functions know the state as it was at most
// aggregate.Freshness before a batch; the tool announces that much ahead, and more for clocks and the call itself. If
// it can't be sure that an announcement was there in time, since the call took long or the tool died then, it
// begins anew, with the next generation: all of the one before, shadows and rows, is never looked at again.
// Nothing has been switched by then. A person may give a rebuild up in the same way
// (Abort), until the switching begins: its number counts as used, and its shadows are dropped
// when a later rebuild is done.
//
// model_test.go plays this in small and takes out each of these rules, once. In the code they are taken out by the
// mutants of this package, of package aggregate and of the leaderboard.
//
// # Guarantees
//
//   - Each sum and count of the view is exact, whatever it was before, once the rebuild is done and the changes made by
//     then are delivered; items that ought not to be there have 0 (TestModel, TestSimulatorRebuild of
//     consumers/leaderboard).
//   - Readers see the old sums, kept current, or the new ones, never a part of one (TestModel, TestSimulatorRebuild of
//     consumers/leaderboard).
//   - It may be stopped anywhere, also by force, and run again; it may run twice at a time (TestRebuildCrashAtEveryCall
//     of consumers/leaderboard, TestModel).
//   - It may be given up at any moment before it switches; the sums are as if it had never begun (TestAbortAtEveryCall,
//     TestAbortLostAnswer).
//   - An item that the view can't use, or whose sum DynamoDB refuses, counts for nothing, is counted and named. The
//     rebuild goes on (TestUnusableItems).
//
// # Not guaranteed
//
//   - Anything if a change's time differs from that of its write, by the clock of the tool, by more than the Clocks
//     setting.
//   - Latest, smallest and largest values (since is one) are not made anew: they go on as the changes come, also
//     those that the rebuild has taken. Boxes that close before the window's limit are left alone.
//   - Two changes of one item of the source within one version, which a stream that writes milliseconds may have: one of
//     them becomes a dead letter that says so, if they fall into the window.
//   - An item that somebody else deleted from the view, that nothing in the source belongs to, and to which a
//     function adds with a call that has been on its way since before the rebuild.
package rebuild
