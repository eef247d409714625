package search_test

import (
	"testing"

	"sluice/consumers/search"
	"sluice/shared/declaration/declarationtest"
)

// Each faulty file with every error that it should have. Fails if a check is left
// out, stops at the first fault, or names another place.
func TestFaultsOfAFile(t *testing.T) {
	declarationtest.Faults(t, 2, func(name string, text []byte) error {
		_, err := search.DefaultSettings().ReadRoutes(name, text)
		return err
	})
}

// The shipped routes with their defaults.
func TestShippedRoutes(t *testing.T) {
	routes, err := search.DefaultSettings().Routes()
	if err != nil || len(routes) != 3 {
		t.Fatalf("%d routes, %v", len(routes), err)
	}
	for i, want := range []string{"PetTracker → pets", "Leaderboard → players", "UserScoreEvents → plays"} {
		if got := routes[i].Source + " → " + routes[i].Index; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
