// Package verify compares declared views with their sources, while both are written. It is an adapter of package operate, which says
// when a difference counts.
//
// Each look reads each source and each table of views whole, strongly consistent, and computes every sum and count again, as package
// rebuild does. A view's item is in flight if it took a change since the look before.
//
// # Guarantees
//
//   - It reads only (TestOperateViews of consumers/leaderboard).
//   - Every declared view is compared, or named with the reason why it isn't (TestEveryViewIsCompared).
//   - An item that a view can't use, or whose sum is none, is named; all others are compared (TestBadItemsAreNamed).
//
// # Not guaranteed
//
//   - Latest, smallest and largest values are not compared, nor are boxes that close before the comparison could end.
//   - That a sum which was equal in one look was right: a change in flight may have hidden a difference of its own amount.
package verify
