// Package document makes documents of items. A [Route] declares which items of a table are indexed and under which names; the
// package makes no calls. An item's document has an id made of the item's keys, and a version made of its change's time.
//
// # Guarantees
//
//   - Different items have different ids, whatever their keys hold.
//   - Of two changes of an item the later one has the greater version, on every instance.
//   - A document keeps every digit of every number.
//   - What OpenSearch can't take under its own name or in its own form is kept in [ItemField].
//
// # Not guaranteed
//
//   - Which of two changes in one microsecond has the greater version. All instances choose the same one, but not always
//     the one that happened later; in one of 2,048 cases both have the same version.
package document
