// Package bridge stands in for Kinesis Data Streams for DynamoDB on one machine. DynamoDB Local has DynamoDB
// Streams but no Kinesis destination, so a Bridge reads the one and writes the other, each change in the very
// format that AWS writes to Kinesis.
//
// # Guarantees
//
//   - Every change on the streams of the given tables, of which there may be many, is written at least once while Run
//     runs, save records over Kinesis' limit of 1 MiB: those are skipped, counted and logged, as DynamoDB skips them
//     (TestLostAnswersLoseNoChange, TestRunGoesOn, TestOversizeIsSkipped).
//   - Without [Misbehaviour] the changes of one item stand in Kinesis in the order in which they happened, each
//     once unless a PutRecords whose answer was lost had been carried out (TestChangesAreCarriedInOrder, TestRefusedEntriesKeepTheirOrder).
//   - A change's creation time is its own alone among all of one Bridge (in microseconds), never in the future, and
//     later than that of any change of the same item before it. Cut to milliseconds, those of different items may be
//     equal, but no two of one item, and they never turn round, not even where the precision switches
//     (TestClockNeverRepeatsOrRunsAhead, TestTimesOfOneItemDiffer, TestSwitcherKeepsOrder).
//   - A repeated record is repeated byte for byte (TestMisbehaviour).
//   - A table that is deleted and made anew is followed, and so is one whose stream is switched off and on. While a table has no
//     stream, and after it had another one, [TableStats] says so: changes in between may be missing (TestSourceThatEndsIsNotQuiet).
//
// # Invariants
//
// Check these before a change: the test that each names fails without it.
//
//   - A Bridge gives each change its time when it reads it. A new Bridge on an old DynamoDB Stream gives its changes new times,
//     and so new identities; a local stack therefore always starts with empty tables (TestUpAndDown of deploy/local/stack).
//   - DynamoDB Local numbers the changes of all tables in one sequence. It reports the first change behind an iterator of an
//     empty shard as trimmed if another table changed in between. The Bridge then takes a new iterator (TestTablesSideBySide).
//
// # Not guaranteed
//
//   - That the creation time is that of the write: it is when the Bridge read the change, some tens of milliseconds later, since
//     DynamoDB Streams gives no more than seconds. One Bridge may Run again: it resumes where it stopped.
//   - Changes that stay unread for longer than their stream keeps them, a day: those are lost. Run fails if it can see
//     that, which is only so for a shard that it had begun to read.
//   - That two changes of one item in one millisecond, which AWS may write with one time, ever have the same here.
//   - The partition key, for which AWS documents no rule, and the order of attributes in an image: here they are sorted.
package bridge
