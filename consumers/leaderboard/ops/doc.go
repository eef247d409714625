// Package ops has what people run to operate the leaderboard, and the verbs that show its boards. No function links this package.
package ops
