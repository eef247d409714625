// Package pipeline lists what this checkout's command line works on: the consumers, and further verbs. "sluice new consumer" adds
// the consumer that it makes.
package pipeline

import (
	badgesops "sluice/consumers/badges/ops"
	leaderboardops "sluice/consumers/leaderboard/ops"
	replicationops "sluice/consumers/replication/ops"
	searchops "sluice/consumers/search/ops"
	"sluice/pipeline/game"
	"sluice/shared/operate"
)

// Consumers returns the consumers, in the order in which verbs name them.
func Consumers() []operate.Consumer {
	return []operate.Consumer{
		leaderboardops.Consumer(),
		replicationops.Consumer(),
		searchops.Consumer(),
		badgesops.Consumer(),
	}
}

// Verbs returns the verbs that belong to no single consumer.
func Verbs() any { return game.Verbs() }
