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
//   - What a change does to a view depends on the change and the view alone, not
//     on when or in what order it comes. Taken together, a history's
//     contributions make the sums of what stands in the table.
//   - [Parse] returns no views unless the whole file is right, and every fault at
//     once, in the order of the file. No view that it returns feeds itself,
//     directly or through others, and no two write the same item.
//
// # Not guaranteed
//
//   - That tables exist and have the keys that a view names.
//   - That nobody else writes items like a view's: the proof that a view doesn't
//     feed itself knows only what the views write.
package view
