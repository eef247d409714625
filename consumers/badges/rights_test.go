package badges_test

import (
	"fmt"
	"testing"
	"time"

	"sluice/consumers/badges"
	"sluice/consumers/badges/ops"
	"sluice/deploy/local/rights"
	"sluice/deploy/local/rights/rightstest"
	"sluice/shared/aggregate"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/gametest"
)

// The function's role allows what these batches need, and nothing else.
func TestRights(t *testing.T) {
	f := rightstest.Start(t, rightstest.NewAccount(t), rightstest.Suite{
		Template: "template.yaml",
		Pipeline: gametest.Pipeline.Files,
		Consumer: ops.Consumer,
		Keys:     map[string][]rights.Use{"KmsKeyArn": {rights.ForQueues, rights.ForTables}},
	})
	began := time.Now()
	play := func(n int) []byte {
		keys := consumertest.Item{
			"UserId":    consumertest.S("reed"),
			"Timestamp": consumertest.S(fmt.Sprintf("%s.%06d", began.UTC().Format("2006-01-02 15:04:05"), n)),
		}
		image := consumertest.Item{"UserId": keys["UserId"], "Timestamp": keys["Timestamp"], "Score": consumertest.N("9"), "Game": consumertest.S("chess")}
		return consumertest.Change{Table: "UserScoreEvents", Time: began.Add(time.Duration(n) * time.Microsecond), Keys: keys, New: image}.Record()
	}
	keys := consumertest.Item{"PK": consumertest.S("USER#reed"), "SK": consumertest.S("PET#rex")}
	pet := consumertest.Item{
		"PK": keys["PK"], "SK": keys["SK"], "entityType": consumertest.S("PET"), "userId": consumertest.S("reed"), "name": consumertest.S("Rex"),
	}
	f.Invoke(consumertest.Change{Table: "PetTracker", Time: began, Keys: keys, New: pet}.Record()) // an award of an item
	// More than the player's states remember: the oldest go into the ledger.
	var plays [][]byte
	for n := 1; n <= aggregate.Capacity; n++ {
		plays = append(plays, play(n))
	}
	f.Invoke(plays...)
	f.Invoke(play(aggregate.Capacity + 1))
	f.Invoke(play(0)) // late, so it is looked for there, and the state has to be read
	f.Invoke(play(1)) // late, and a duplicate
	book, err := badges.DefaultSettings().Rules(gametest.Declarations())
	if err != nil {
		t.Fatal(err)
	}
	var views []string
	for _, v := range book.Views {
		views = append(views, v.Name)
	}
	f.Rebuild(f.Settings["LEDGER_TABLE"], views...)
	f.Invoke(play(aggregate.Capacity + 2))
	f.Check()
}
