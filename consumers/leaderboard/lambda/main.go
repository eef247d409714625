// The function leaderboard: the consumer with this pipeline's declarations. Its settings are in template.yaml.
package main

import (
	"sluice/consumers/leaderboard"
	"sluice/pipeline"
)

func main() { leaderboard.Main(pipeline.Declared) }
