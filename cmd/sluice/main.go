// Command sluice runs the pipeline on this machine, plays with it, and looks
// into it, here or deployed on AWS.
package main

import (
	"sluice/cli"
	"sluice/pipeline"
	"sluice/pipeline/ops"
)

func main() { cli.Main(pipeline.Declared, ops.Consumers, ops.Verbs()) }
