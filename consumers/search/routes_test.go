package search_test

import (
	"testing"

	"sluice/consumers/search"
	"sluice/shared/consumertest/gametest"
	"sluice/shared/declaration/declarationtest"
)

// Each faulty file with every error that it should have. Fails if a check is left
// out, stops at the first fault, or names another place.
func TestFaultsOfAFile(t *testing.T) {
	declarationtest.Faults(t, 2, func(name string, text []byte) error {
		_, err := search.Routes(gametest.Declarations().With(search.RoutesFile, name, text))
		return err
	})
}
