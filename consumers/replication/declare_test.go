package replication

import (
	"strings"
	"testing"

	"sluice/shared/consumertest/gametest"
	"sluice/shared/declaration/declarationtest"
)

// Each faulty file with every error that it should have. Fails if a check is left
// out, stops at the first fault, or names another place.
func TestFaultsOfAFile(t *testing.T) {
	declarationtest.Faults(t, 2, func(name string, text []byte) error {
		_, err := Routes(gametest.Declarations().With(ReplicasFile, name, text), "us-east-1")
		return err
	})
}

// The shipped routes with their defaults, and in the copy's own region, where they
// would copy the table onto itself.
func TestShippedRoutes(t *testing.T) {
	routes, err := Routes(gametest.Declarations(), "us-east-1")
	if err != nil || len(routes) != 1 || routes[0].Source != gametest.ScoreTable || routes[0].Region != gametest.Region {
		t.Errorf("got %+v, %v", routes, err)
	}
	if routes, err := Routes(gametest.Declarations(), gametest.Region); err == nil {
		t.Errorf("a table is copied onto itself: %+v", routes[0])
	}
}

func TestSettingsValidate(t *testing.T) {
	err := Settings{}.Validate()
	for _, name := range []string{"TOMBSTONE_TABLE", "HORIZON"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v says nothing of %s", err, name)
		}
	}
	if err := DefaultSettings().Validate(); err != nil {
		t.Error(err)
	}
}
