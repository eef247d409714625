package leaderboard_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"sluice/consumers/leaderboard"
	"sluice/consumers/leaderboard/ops"
	"sluice/deploy/local/rights"
	"sluice/deploy/local/rights/rightstest"
	"sluice/shared/aggregate"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/gametest"
)

// The function's role allows what these batches need, and nothing else.
func TestRights(t *testing.T) {
	account := rightstest.NewAccount(t)
	for _, path := range []string{"game", "pets"} {
		account.Create(t, "../../shared/consumertest/gametest/deploy/"+path+".yaml", "", nil)
	}
	f := rightstest.Start(t, account, rightstest.Suite{
		Template: "template.yaml",
		Pipeline: gametest.Pipeline.Files,
		Consumer: ops.Consumer,
		Keys: map[string][]rights.Use{
			"KmsKeyArn":       {rights.ForQueues, rights.ForTables},
			"TableKmsKeyArns": {rights.ForTables},
		},
	})
	began := time.Now()
	play := func(n int) []byte {
		key := consumertest.Item{
			gametest.AttrUser:      consumertest.S("reed"),
			gametest.AttrTimestamp: consumertest.S(fmt.Sprintf("%s.%06d", began.UTC().Format("2006-01-02 15:04:05"), n)),
		}
		image := consumertest.Item{gametest.AttrUser: key[gametest.AttrUser], gametest.AttrTimestamp: key[gametest.AttrTimestamp], gametest.AttrScore: consumertest.N("1")}
		return consumertest.Change{Table: gametest.ScoreTable, Time: began.Add(time.Duration(n) * time.Microsecond), Keys: key, New: image}.Record()
	}
	total := func(n int) []byte {
		key := consumertest.Item{gametest.AttrUser: consumertest.S("reed")}
		image := consumertest.Item{gametest.AttrUser: key[gametest.AttrUser], gametest.AttrScore: consumertest.N(strconv.Itoa(n))}
		return consumertest.Change{Table: gametest.BoardTable, Time: began.Add(time.Duration(n) * time.Microsecond), Keys: key, New: image}.Record()
	}
	ofPet := func(n int) []byte {
		keys := consumertest.Item{"PK": consumertest.S("PET#rex"), "SK": consumertest.S(fmt.Sprint("ACTIVITY#", n))}
		image := consumertest.Item{
			"PK": keys["PK"], "SK": keys["SK"], "entityType": consumertest.S("ACTIVITY"), "petId": consumertest.S("rex"),
			"timestamp": consumertest.S(began.UTC().Format(time.RFC3339)), "type": consumertest.S("WALK"),
		}
		return consumertest.Change{Table: gametest.PetTable, Time: began.Add(time.Duration(n) * time.Microsecond), Keys: keys, New: image}.Record()
	}
	all := func(n int) [][]byte { return [][]byte{play(n), total(n), ofPet(n)} }

	// More than the items remember: the oldest go into the ledger.
	var full [][]byte
	for n := 1; n <= aggregate.Capacity; n++ {
		full = append(full, all(n)...)
	}
	f.Invoke(full...)
	f.Invoke(all(aggregate.Capacity + 1)...)
	f.Invoke(all(0)...) // late, so it is looked for there
	f.Invoke(all(1)...) // late, and a duplicate
	views, err := leaderboard.Views(gametest.Declarations())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, v := range views {
		names = append(names, v.Name)
	}
	f.Rebuild(f.Settings["LEDGER_TABLE"], names...)
	f.Invoke(all(aggregate.Capacity + 2)...)
	f.Check()
}
