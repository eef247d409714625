// Package simulator tests any consumer against everything that the stream and
// the network may do to it.
//
// # Test your consumer in ten lines
//
// Say what the source table looks like, how an instance of the consumer is
// started, how to read the destination, and what it should hold:
//
//	func TestSimulator(t *testing.T) {
//		simulator.Run(t, simulator.Suite{
//			Name:     "shelves",
//			Workload: books,             // keys and attributes of the table's items
//			Database: servertest.DynamoDB, // the real server
//			Setup:    createTables,      // the destination, empty
//			New:      newShelves,        // what consumer.Main gets
//			Read:     readShelves,       // what the destination holds, by item
//			Want:     wantShelves,       // what it should hold after these changes
//		})
//	}
//
// The example of Run has these functions, whole.
//
// # What a schedule is
//
// Run draws schedules, each from a seed. A schedule decides
//
//   - the history of the table: puts, removes, items that come back, expiries,
//     many items at one go, several at the same microsecond;
//   - what the stream makes of it: changes repeated, moved, turned round, dealt
//     out to two pollers at once, in batches of 1 to 100, with records in between
//     that are no change, the precision of times switched at any point;
//   - which call to the destination goes next, of all that wait, and what happens
//     to it: it goes through, is throttled, fails, is refused for another's
//     transaction, is lost, loses its answer, arrives long after its caller has
//     given up, hangs until the invocation's time is over, or the instance dies
//     just before or after it and a new one gets the batch again.
//
// The consumer runs as in Lambda, in its Handler, and against the real server;
// only time is simulated (testing/synctest), so that back-offs and time-outs cost
// nothing. What the handler reports as failed comes again, from the lowest one on.
//
// When all is delivered, the destination is compared with what Want says, item by
// item, and each change must be accounted for: applied, or known to need nothing,
// or rejected as expected. Then the whole stream is delivered once more, which
// must change nothing; and again after the Horizon, if the consumer has one.
//
// A consumer whose writes are changes that it gets again, since it keeps a table
// the same in several regions, is for RunRegions: there the stream isn't known
// beforehand, but made from what applications and the consumer write.
//
// # When it fails
//
// The schedule is cut down for as long as it still fails, and told in words:
//
//  1. A delivers [insert book 0-0 Pages 1] [remove book 0-0] [insert book 0-0 Pages 2]
//  2. A: PutItem Copy book 0-0/1: goes through
//  3. A: DeleteItem Copy book 0-0: hangs until the time of the invocation is over
//  4. A answers: again from remove book 0-0 on
//  5. A delivers [remove book 0-0] [insert book 0-0 Pages 2]
//  6. A: DeleteItem Copy book 0-0: goes through
//  7. A: PutItem Copy book 0-0/2: goes through
//  8. A: a call from before arrives only now: DeleteItem Copy book 0-0
//     → lost: book 0-0 holds nothing, but should hold 2, as if there had been no [insert book 0-0 Pages 2]
//
// with the command that plays the same schedule again. Flags of the test:
// -simulator.schedules, -simulator.seed, -simulator.for (a duration), and
// -rapid.shrinktime for how long a failure may be cut down.
//
// With go test -short or -race a part of the schedules and of the small worlds runs:
// package proof says why.
//
// # Guarantees
//
//   - A seed plays the same way each time, also if the consumer backs off at random, for up to 2 seconds,
//     and if [consumer.Each] makes the same call for several items at once. Every 25th schedule is played
//     twice, and the test fails if the consumer made other calls the second time
//     (TestSameCallsForSeveralItems).
//   - Lost, doubled, resurrected and otherwise unexpected are told apart ([Kind]), with the change that it
//     happened to, if a single change explains it (TestOracle, TestNaiveHandlersAreCaught).
//   - A change whose outcome nobody can know (a dead letter for being too old, or for failing too long)
//     may be applied or not: either is right (TestOracle).
//
// # Not guaranteed
//
//   - That a consumer which passes is right: a schedule that would show its fault
//     may be rare. Package mutant shows how much the schedules notice; EveryOrder,
//     EveryCrash and EveryInterleaving try small worlds whole.
//   - Anything for a consumer that reaches its destination by another way than
//     its aws.Config's HTTPClient, makes the same call several times at once by
//     other means than consumer.Each, holds a lock while it waits for an answer, or
//     reads the clock to decide what to write.
//
// Package wire injects single faults, for tests of one of them.
package simulator
