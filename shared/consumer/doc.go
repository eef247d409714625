// Package consumer runs a consumer of table changes on the batches of a Lambda
// event source mapping.
//
// A consumer's author writes one function, Apply or ApplyBatch, and a main that
// calls Main. What the function returns says what became of the change:
//
//	nil                      applied
//	Duplicate, Stale, Skip   nothing to do
//	Reject(err)              can never be applied: kept whole as a dead letter
//	any other error          comes again
//
// # Guarantees
//
//   - Every change of a batch is applied, known to need nothing, kept as a dead letter, or named to Lambda
//     to come again; and it is counted as that (TestOutcomesAreCountedAndAnswered,
//     TestWrongNumberOfErrors).
//   - A change that fails holds up only later changes of its own item (with Each; an ApplyBatch of its own
//     decides that itself) (TestEachHoldsUpOnlyTheSameItem).
//   - A record that can't be decoded, or that the consumer rejects, never blocks its shard. If its dead
//     letter can't be kept, it comes again. A dead letter that is sent again (package redrive) is applied
//     like any other change (TestUndecodableRecordsBecomeDeadLetters, TestDeadLetterThatCannotBeKept,
//     TestRedrivenLettersAreApplied).
//   - A change that keeps failing although its destination works becomes a dead letter after
//     Settings.StuckAfter. That it works, other changes show, a Prober's probe, or, where there is no
//     probe, the Notes of another instance. While nothing shows it, everything waits. With several
//     destinations that is so for each by itself, once At names them (TestStuckChangeIsTakenOut,
//     TestLonePoisonAndAProbe, TestLonePoisonAndAnotherInstance, TestDestinationDown,
//     TestOneDestinationDown).
//   - What is finished behind a change that keeps failing isn't given to the consumer again by the same
//     instance. For a destination without a probe, and without another instance that succeeds, one such
//     change is given to it again now and then, as evidence (TestNeighboursArePostedOnce).
//   - Any change can be kept as a dead letter, whatever characters it has (TestAnyDeadLetterCanBeKept,
//     TestQueueThatRefusesTheContent).
//   - Near the function's time-out the rest of a batch comes again, rather than the invocation being cut
//     (TestConsumerStopsBeforeTheDeadline).
//
// # Invariants
//
// Check these before a change: the test that each names fails without it.
//
//   - Lambda gets the lowest failed sequence number only: it delivers everything from there again, whatever
//     else is named. What was applied behind it comes again and must be a duplicate then
//     (TestOutcomesAreCountedAndAnswered).
//   - A batch behind a failing record doesn't move. So a change that fails for Settings.StuckAfter while
//     others succeed becomes a dead letter (TestStuckChangeIsTakenOut).
//   - Only successes at the same destination show that a change is bad and the destination works
//     (TestStuckBesideADestinationDown). One is needed between any two failures of the change, or the
//     ragged ends of an outage look like bad changes (TestRaggedOutage).
//   - Where no other change succeeds, a probe or a note of another instance stands for it. All evidence of
//     a quarter of Settings.StuckAfter must be good, and the last of it fresh: one success may be a moment
//     of an outage (TestLongOutageWithAPoison, TestProofIsFresh).
//   - What a function remembers saves work and promises nothing: another instance knows nothing of it. A
//     string that outlives a batch is cloned, or it keeps the whole batch in memory (TestMemoryIsBounded).
//   - A retry outweighs a rejection when the outcomes of a change's parts are combined. A dead letter never
//     comes again by itself, so the other part would be lost (TestCombine).
//
// # Rules for a consumer
//
//   - Each write names its destination with At, also a write that succeeds and one
//     that turns out to be a duplicate. A destination that is named only when it
//     fails looks as if nothing had ever succeeded there; one that is never named
//     shares the fate of the others: changes that wait for it become dead letters
//     because others succeed elsewhere.
//   - A consumer that writes to one destination only may leave its name out.
//   - What an AWS service will never take is rejected with RejectRefused, and
//     nothing else that a service answers is.
//
// # Not guaranteed
//
//   - Exactly one call of Apply for each change, or any order between items or
//     batches: the stream repeats and reorders, and so does Lambda. Being exact
//     under that is the consumer's part.
//   - Exactly one dead letter for each rejected change: there may be several
//     with the same position.
//   - That a change which fails alone leaves its lane before Settings.GiveUpAge, if its destination has
//     no probe and no other instance can note that it works: there is no other instance that
//     succeeds, no bucket, or no right to it. The log then says what to do.
package consumer
