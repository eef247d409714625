// Package verify compares declared views with their sources, while both are written.
//
// A first look reads each source and each table of views whole, strongly consistent, and
// computes every sum and count anew, as package rebuild does. What differs is looked at
// again: a change may be in flight, or may have been made between the two reads. A
// difference counts if it was there at every look for at least Margin, and the view's item
// took no change in that time.
//
// # Guarantees
//
//   - It reads only.
//   - Every declared view is compared, or named with the reason why it isn't.
//   - An item that a view can't use, or whose sum is none, is named; all others are compared.
//   - It ends soon after Patience plus the time of one look, whatever changes meanwhile, and
//     says which sums kept changing and were not judged.
//
// # Not guaranteed
//
//   - Latest, smallest and largest values are not compared, nor are boxes that close before
//     the comparison could end.
//   - That a sum which was equal in one look was right: a change in flight may have hidden
//     a difference of its own amount.
package verify
