package badges

import (
	"testing"
	"time"

	"sluice/consumers/badges/rule"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/gametest"
)

// gameRules are the rules of package gametest.
func gameRules(t testing.TB) string {
	t.Helper()
	_, text, err := gametest.Declarations().Read(RulesFile)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestEachPetIsWelcome has pets in both designs of keys, by the shipped rules: of a player's
// partition, and in a partition of their own, where all have the sort key PROFILE. Each is
// welcomed once.
func TestEachPetIsWelcome(t *testing.T) {
	w := newWorld(t)
	w.rules = gameRules(t)
	b := w.function(nil)
	pet := func(pk, sk string) consumertest.Change {
		c := w.pet("Pets", "ann", sk, "Rex")
		c.Keys["PK"], c.New["PK"] = consumertest.S(pk), consumertest.S(pk)
		return c
	}
	pets := []consumertest.Change{pet("PET#rex", "PROFILE"), pet("PET#tom", "PROFILE"), pet("USER#ann", "PET#rex"), pet("USER#ann", "PET#tom"), pet("USER#bob", "PET#tom")}
	w.apply(b, consumer.Applied, pets...)
	w.apply(b, consumer.Duplicate, pets...)
	w.wants("ann", "welcome##PET%23rex#PROFILE+", "welcome##PET%23tom#PROFILE+", "welcome##USER%23ann#PET%23rex+", "welcome##USER%23ann#PET%23tom+", "welcome##USER%23bob#PET%23tom+")
}

// TestFormerAward has a pet's award as it was stored when the sort key alone told pets apart,
// with its notice untold: when its change comes again, the notice is told, and no other award is
// stored. Another pet with that sort key is welcomed; a backfill and verify take the award for that of
// any pet that had its key.
func TestFormerAward(t *testing.T) {
	w := newWorld(t)
	w.rules = gameRules(t)
	b := w.function(nil)
	rex, tom := w.pet("Pets", "ann", "PROFILE", "Rex"), w.pet("Pets", "ann", "PROFILE", "Tom")
	tom.Keys["PK"], tom.New["PK"] = consumertest.S("PET#tom"), consumertest.S("PET#tom")
	if _, err := b.giver.Player("ann").Give(t.Context(), b.book.Rule("welcome"), rule.Award{Badge: "welcome", Of: "PROFILE"}, rex.Time.Format(time.RFC3339Nano), w.parse(rex)[0]); err != nil {
		t.Fatal(err)
	}
	w.apply(b, consumer.Duplicate, rex)
	w.wants("ann", "welcome##PROFILE+")
	w.apply(b, consumer.Applied, tom)
	w.wants("ann", "welcome##PET%23tom#PROFILE+", "welcome##PROFILE+")
}
