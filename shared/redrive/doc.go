// Package redrive sends dead letters to the function that refused or gave them up, and takes those out of the
// queue that need no more.
//
// A consumer's queue holds dead letters of two kinds: the consumer's own, each a change kept whole (in the message or,
// if large, in S3), and Lambda's on-failure documents, which name a range of the stream. The records of a range are read
// from the stream, as long as it keeps them.
//
// # Guarantees
//
//   - A message is removed only when the function has answered that none of its records has to come again. Each is
//     then done, or was refused again: the function has kept it as a new dead letter before it answered. So a change is
//     in the queue or at its destination, wherever we stop; what is sent twice is a duplicate to an exact consumer.
//   - A function from before there were redrives would take what it has kept for done. Its answer gives it away, and
//     nothing is removed.
//   - A record is sent in one group and, if the group isn't clean, once alone, however often it is in the queue, and
//     whatever it becomes there: a letter that is kept anew is left for the next run.
//   - What isn't chosen, or fails, is seen in the queue again when the run ends, or after Visibility if it was killed.
//
// # Not guaranteed
//
//   - Any order. Exact consumers need none.
//   - That a range is complete: what the stream doesn't keep any more is told, and its document stays.
package redrive
