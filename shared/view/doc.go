// Package view reads the declarations of aggregate views, checks them, and tells
// what a change does to them. It makes no calls.
//
// A view is kept of the items of one table: of those that match its filter it
// keeps sums, counts, latest, smallest or largest values in the items of another
// table, or of the same one, one item for each key that its key templates give.
// The leaderboard's README has every key of the file.
//
// # Guarantees
//
//   - What a change does to a view depends on the change and the view alone, not on when or in what
//     order it comes. Taken together, a history's contributions make the sums of what stands in the
//     table (TestContributions, TestBoxLabels, TestPetsInEveryOrder of consumers/leaderboard).
//   - [Parse] returns no views unless the whole file is right, and every fault at once, in the
//     order of the file. No view that it returns feeds itself, directly or through others, and no
//     two write the same item (TestFaultsOfAFile, TestViewsThatDoNotFeedThemselves).
//
// # Invariants
//
// Check these before a change: the test that each names fails without it.
//
//   - What a view makes of an item depends on the item alone, not on when it was written, because
//     the change that takes it away must find the same. So no check compares a date with the clock
//     (TestDates of consumers/badges), and an image that the view can't use counts for nothing, old
//     or new (TestContributions).
//   - So does what a path of the view leads to: its text alone says which value, never what else the item has. A list is
//     taken away whole, as the old image has it (TestNestedContributions, TestNestedSumsAreThoseOfTheTable).
//   - Whether a change counts for a time box depends on the change alone, never on the clock, so
//     that a duplicate meets the same answer. The box lives longer than its last change by more
//     than the horizon, or it forgets ids that are still needed (TestBoxOutlivesItsDuplicates).
//   - All views share one ledger. A group begins with // and names table and key, each with its
//     length. Only the board of totals uses the bare user id, as it did before there were views; a
//     user id that begins with // gets the long form (TestGroupsAreUnambiguous,
//     TestGroupPastTheLimit).
//   - A bucket's number has one form in the ledger, whatever form it has in the change: 1.2E4 and
//     12000 are one item (TestBucketContributions).
//   - The board of totals is a source too: its changes come back through the stream, and the views
//     of ranks count them. So [Parse] proves that no view feeds itself that way
//     (TestFaultsOfAFile).
//
// # Not guaranteed
//
//   - That tables exist and have the keys that a view names.
//   - That nobody else writes items like a view's: the proof that a view doesn't
//     feed itself knows only what the views write.
package view
