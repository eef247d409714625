package replication

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/consumers/replication/internal/store"
	"sluice/shared/change"
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

// An attribute with a dot in its own name is left out and masked by that name. Fails if the backslash gets into the name.
func TestNamesWithDots(t *testing.T) {
	routes, err := Routes(gametest.Declarations().With(ReplicasFile, "replicas.yaml", []byte(`replicas:
  - {name: a, from: {table: Orders, where: {address.city: Bonn}}, into: {table: Copy, region: eu-west-1}, leaveOut: ['a\.b'], mask: ['c\.d']}
`)), "us-east-1")
	if err != nil {
		t.Fatal(err)
	}
	text := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
	in := func(city string) store.Item {
		return store.Item{"a.b": text("secret"), "c.d": text("secret"), "address": &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"city": text(city)}}}
	}
	copied, taken := routes[0].Copied(in("Bonn"))
	if change.TextOf(copied["c.d"]) != Masked || copied["a.b"] != nil || len(copied) != 2 || !taken {
		t.Errorf("copied %v, %v", copied, taken)
	}
	if _, taken := routes[0].Copied(in("Rome")); taken {
		t.Error("an item that doesn't match is taken")
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
