// Package badges awards badges to players by declared rules, and tells each player of
// each badge. What the rules may say, README.md tells; package rule reads them.
//
// # Guarantees
//
//   - Once every change has been delivered, a player has every badge that the plays in
//     the table earn by the rules, each once, whatever the stream repeated, reordered
//     or delivered to two instances at once, and wherever a function died.
//   - Each badge is told at least once, and every repeat carries the same id. The change
//     that earned it comes again until SNS has confirmed it.
//   - No badge is stored or told that the plays never earned, as far as they had
//     arrived.
//   - What a play costs doesn't grow with the plays before it.
//
// # Not guaranteed
//
//   - That a badge is told exactly once: a topic may be told again with the same id, if
//     an answer was lost or a function died. A FIFO topic drops what comes within five
//     minutes.
//   - That a badge isn't told for plays that are being corrected: if a play's removal
//     arrives after later plays, they count together for a while. A rule with revoke
//     takes the badge back then.
//   - The order of an award's parts: it is stored, then told, then marked as told.
//   - That the time of an award is that of the very play that completed it, when plays
//     arrive out of order; it is that of one of those that had arrived.
package badges
