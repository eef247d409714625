// Package leaderboard keeps every player's exact total of the scores in a table.
//
// The score table has the keys UserId and Timestamp and a number Score; a
// player's total is kept in the board table under UserId, as Score, with ShardNo
// for the index IndexShardNoScore, whose shards together give the top N.
//
// # Guarantees
//
//   - Once every change has been delivered, each total is the exact decimal sum
//     of the player's scores in the table, whatever the stream repeated,
//     reordered or delivered to two instances at once, and wherever a function
//     died. Inserts, modifies and removes all count; what happens to scores that
//     expire is a setting.
//   - A change whose score is missing, no number, or would need more than 38
//     digits in the total becomes a dead letter; the player's other changes count.
//
// # Not guaranteed
//
//   - The order among players with equal totals beyond their names.
//   - That a total is up to date: it follows the table by the time that the
//     stream takes, typically a second or two.
package leaderboard
