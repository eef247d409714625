package ops

import (
	"testing"

	"sluice/cli/pipelinetest"
	"sluice/pipeline"
)

func TestMain(m *testing.M) { pipelinetest.Main(m) }

// The declarations, the templates and the rights of this pipeline fit together.
func TestPipeline(t *testing.T) { pipelinetest.Run(t, pipeline.Declared, Consumers) }
