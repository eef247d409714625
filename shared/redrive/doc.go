// Package redrive sends dead letters to the function that refused or gave them up, and removes those from the
// queue that need no more.
//
// A consumer's queue holds dead letters of two kinds. The consumer's own each hold a whole change, in the message or,
// if it is large, in S3. Lambda's on-failure documents each name a range of the stream. The records of a range are read
// from the stream, as long as the stream keeps them.
//
// A run walks through the queue. It hides each message from other runs while it holds the message, and shows those that
// stay again at its end. Records are sent in groups: the consumer's own dead letters by up to 10, the records of a range by up to
// 25, in order. If any record of a group has to come again, each record of the group is sent once more, alone.
//
// # Guarantees
//
//   - A message is removed only when the function has answered that none of its records has to come again. Each record is then
//     done, or was refused again: the function has kept it as a new dead letter before it answered. So a change is in the queue or
//     at its destination, wherever a run stops. What is sent twice is a duplicate to an exact consumer (TestInterruptedAnywhere,
//     TestRefusedAgain, TestAnswersThatSayNothing).
//   - A function from before there were redrives would take what it has kept for done. Its answer doesn't say that it knows
//     redrives, and nothing is removed (TestOldFunction).
//   - A record is sent in one group and, if the group isn't clean, once alone, however often it is in the queue, and whatever it
//     becomes there: a dead letter that is kept anew is left for the next run (TestRefusedAgain, TestRefusedAgainAndKeptTwice).
//   - A walk looks at each message of a queue of any size once. Messages stay hidden for as long as the walk holds them.
//     Result.Unseen says about how many messages somebody else holds, so that the walk has not looked at them (TestALargeQueue,
//     TestAWalkKeepsWhatItHolds, TestHiddenDeadLettersAreUnseen).
//   - A run ends after five dead letters in a row that fail, or five changes in a row that are refused again, unless KeepGoing is
//     set. It ends with words, too, if the queue gives no answer (TestDestinationStillDown, TestALargeQueue,
//     TestAQueueThatStandsStill).
//   - What isn't chosen, or fails, is seen in the queue again when the run ends, or after HiddenFor if the run was killed
//     (TestChoice, TestInterruptedAnywhere).
//
// # Invariants
//
// Check these before a change: the test that each names fails without it.
//
//   - A received message is hidden for a moment first, and for as long as needed only once it is here: an answer that gets lost
//     hides its messages from this run too, and the queue would look empty. A walk through thousands takes longer than any fixed
//     time, so messages that it holds are hidden again meanwhile, or the first ones come back before the last are seen
//     (TestALargeQueue, TestAWalkKeepsWhatItHolds).
//   - A group that isn't clean is sent once more, each record alone, also a group of a range: the answer names the lowest record
//     only. Nobody knows which of a group was refused, so none of its places counts as done for a second letter of the same change
//     (TestRefusedAgain, TestRefusedAgainAndKeptTwice).
//
// # Not guaranteed
//
//   - Any order between dead letters. Exact consumers need none.
//   - That a range is complete: the run says what the stream doesn't keep any more, and the document stays.
//   - Exact numbers of unseen messages: SQS counts them approximately.
package redrive
