// The function badges: the consumer with this pipeline's declarations. Its settings are in template.yaml.
package main

import (
	"sluice/consumers/badges"
	"sluice/pipeline"
)

func main() { badges.Main(pipeline.Declared) }
