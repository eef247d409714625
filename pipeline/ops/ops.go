// Package ops lists what the command line of this checkout works on: the consumers, and the game's verbs.
package ops

import (
	badgesops "sluice/consumers/badges/ops"
	leaderboardops "sluice/consumers/leaderboard/ops"
	replicationops "sluice/consumers/replication/ops"
	searchops "sluice/consumers/search/ops"
	"sluice/pipeline/game"
	"sluice/shared/declaration"
	"sluice/shared/operate"
)

// Consumers returns the consumers with a pipeline's declarations, in the order in which verbs name them. "sluice new consumer" adds
// the consumer that it makes.
func Consumers(p declaration.Pipeline) []operate.Consumer {
	return []operate.Consumer{
		leaderboardops.Consumer(p),
		replicationops.Consumer(p),
		searchops.Consumer(p),
		badgesops.Consumer(p),
	}
}

// Verbs returns the verbs that belong to no single consumer.
func Verbs() any { return game.Verbs() }
