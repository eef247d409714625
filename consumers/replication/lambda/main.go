// The function replication: the consumer with this pipeline's declarations. Its settings are in template.yaml.
package main

import (
	"sluice/consumers/replication"
	"sluice/pipeline"
)

func main() { replication.Main(pipeline.Declared) }
