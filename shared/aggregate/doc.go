// Package aggregate keeps exact sums, counts and latest values in DynamoDB items, fed with amounts that
// may be repeated, reordered, cut off by a crash and delivered twice at the
// same time.
//
// An item remembers the ids of the changes it has taken in a small binary set
// of its own, so one conditional update adds an amount and its id, or many of
// them. When the set is full, a transaction moves the oldest ids to a bucket in
// a ledger table; the newest time in the bucket becomes the item's spill time.
// A change not newer than that is late: it is looked up in the ledger, and
// added together with a ledger row of its own.
//
// Sums may be made anew from their source while changes go on: see Rebuilds and
// Stand here, and package rebuild for the protocol.
//
// # Guarantees
//
//   - Each amount is in the sum exactly once, whatever the order, however often and by however many
//     callers it is added, and wherever one of them dies (TestAddUnderFaults, TestAddCrashAtEveryCall,
//     TestSimulator of consumers/leaderboard).
//   - A latest value is that of the newest change that has one, by version, and by the hash in its id
//     among changes with the same version (TestLatestInEveryOrder, TestLatestOfLateChanges,
//     TestValuesUnderFaults).
//   - Sums are exact decimals; one that would need more than DynamoDB's 38 digits is refused, never
//     rounded (TestAddExactDecimals, TestAddRefusesWhatDynamoDBCannotHold).
//   - A change older than the horizon is rejected, never guessed (TestAddRejectsBeyondHorizon).
//
// # Invariants
//
// Check these before a change: the test that each names fails without it.
//
//   - A conditional update may meet its own effect, because the SDK repeats a call whose answer was
//     lost. So an id that the item has already is a duplicate, never an error (TestAddLostAnswer).
//   - A spill moves every id up to the cut, ties included. Otherwise buckets overlap in time and one
//     look-up isn't enough; and an id with the time of the cut that stays in the item counts as late,
//     so it is added twice (TestEveryGuardIsNeeded of consumers/leaderboard).
//   - A late change never enters a bucket; it gets a row of its own. So nothing can slip in between the
//     look into the bucket and the addition (TestEveryGuardIsNeeded of consumers/leaderboard).
//   - A spill compares the whole set with what was read. An id older than the cut, added by another
//     instance in between, would be neither in the bucket nor newer than the spill time
//     (TestEveryGuardIsNeeded of consumers/leaderboard).
//   - The horizon is checked before the ledger is asked (TestAddRejectsBeyondHorizon). Ledger rows
//     expire a day later, because clocks differ (TestLedgerOutlivesTheHorizon).
//   - Latest values are compared by change id, not by version alone: of two changes in one microsecond
//     every order must choose the same one (TestGuardOfTies). They are written by the same conditional
//     update as the sums, and left out only after a look at the item showed a newer value
//     (TestEveryGuardOfValuesIsNeeded of consumers/leaderboard).
//   - Every write to an item of a view is conditional on the item's Generation, or on its absence. That
//     alone stops a function that has slept through a rebuild (TestEveryGuardOfARebuildIsNeeded).
//   - A transaction over a table and its ledger is a destination of its own (Table.atBoth). Its error
//     may not say which of the two is down, and writes to one of them don't show that the transaction
//     works (TestOneTableDown of consumers/leaderboard).
//
// # Not guaranteed
//
//   - That a change reported as a duplicate was added by somebody else: it may
//     have been this call, if an answer was lost and the SDK asked again.
//   - Anything about items that others delete, or whose sums, values,
//     ChangeIds, SpillTime, LatestChange or Generation others write.
package aggregate
