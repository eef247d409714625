// The function search: the consumer with this pipeline's declarations. Its settings are in template.yaml.
package main

import (
	"sluice/consumers/search"
	"sluice/pipeline"
)

func main() { search.Main(pipeline.Declared) }
