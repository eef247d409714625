// Command sluice runs the pipeline on this machine, plays with it, and looks
// into it, here or deployed on AWS.
package main

import (
	"sluice/cli"
	"sluice/pipeline"
)

func main() { cli.Main(pipeline.Consumers(), pipeline.Verbs()) }
