// Package keeper keeps declared views up to date from batches of changes: package
// view tells what a change does to a view, package aggregate writes it.
//
// # Guarantees
//
//   - Once every change has been delivered, each sum and count is the exact decimal one of the
//     viewed items in the table, whatever the stream repeated, reordered or delivered to two
//     instances at once, and wherever a function died (TestSimulator of consumers/leaderboard,
//     TestSimulatorPets of consumers/leaderboard).
//   - A change that a view can't use becomes a dead letter, one for all views that refuse it; other
//     views and other changes count (TestOneViewRejects of consumers/leaderboard).
//   - A batch whose time ends early has done its first change whole, if the time was enough for
//     that change's calls (TestEveryDeliveryMoves of consumers/leaderboard).
//   - While nothing is rebuilt, an item of a view costs a batch one update, as long as its changes
//     come in order and it has room for their ids; and an instance asks for the views' rebuilds
//     once in [aggregate.Freshness]. A batch of other tables' changes makes no call
//     (TestOtherTables, TestRebuildsAreReadSeldom of consumers/leaderboard).
//
// # Invariants
//
// Check these before a change: the test that each names fails without it.
//
//   - All parts of a batch's first change are done before anything else of the batch (Keeper.do,
//     Addition.First). Lambda's checkpoint moves only past changes that are done whole. If the
//     function's time ends after a few calls, and each delivery began in another order, no delivery
//     would move it (TestEveryDeliveryMoves of consumers/leaderboard).
//
// # Not guaranteed
//
//   - That the views of one change are brought up to date at one moment.
package keeper
