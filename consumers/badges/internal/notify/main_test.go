package notify

import (
	"testing"

	"sluice/deploy/local/servers/servertest"
)

func TestMain(m *testing.M) { servertest.Main(m) }
