package leaderboard

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"sluice/consumers/leaderboard/aggregate"
	"sluice/consumers/leaderboard/view"
	"sluice/deploy/local/servers/servertest"
	"sluice/deploy/local/template"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/simulator"
)

// TestEveryCrash dies at every call of a history in which one player's item
// fills up and is spilled twice, always three at the same time. At the end old changes come late, together
// with changes that the second bucket already holds.
func TestEveryCrash(t *testing.T) {
	var changes []consumertest.Change
	for turn := range 170 {
		key, image := event("reed", turn, fmt.Sprint(turn))
		changes = append(changes, consumertest.Change{Table: DefaultScoreTable, Time: at(turn / 3), Keys: key, New: image})
	}
	batches := slices.Collect(slices.Chunk(changes[4:], aggregate.Capacity/2))
	simulator.EveryCrash(t, simulation("leaderboard"), append(batches, slices.Concat(changes[:4], changes[50:60]))...)
}

// TestSimulator delivers random histories of scores in every way that the
// stream may; all boards, those of days and weeks too, must hold the sums of the
// score table.
func TestSimulator(t *testing.T) {
	s := simulation("leaderboard", "daily", "weekly")
	s.Schedules = 500
	simulator.Run(t, s)
}

// TestSimulatorOnePlayer is TestSimulator with a single player, whose item is
// full most of the time.
func TestSimulatorOnePlayer(t *testing.T) {
	s := simulation("leaderboard")
	s.Workload.Groups = 1
	s.Schedules = 200
	simulator.Run(t, s)
}

// TestEveryOrderOfFiveChanges inserts a score, changes it, removes it and
// inserts it again, in every order and with every repeat.
func TestEveryOrderOfFiveChanges(t *testing.T) {
	s := simulation("leaderboard")
	s.Horizon = 0
	images := []string{"", "2", "9", "4", "", "5"}
	for n := 1; n < len(images); n++ {
		simulator.EveryOrder(t, s, func(i int) []consumertest.Change {
			return scoreHistory(fmt.Sprint("player ", i), images[:n+1])
		})
	}
}

// scoreHistory returns the changes of one item that has one score after the
// other; "": the item isn't there.
func scoreHistory(user string, scores []string) []consumertest.Change {
	key, _ := event(user, 1, "")
	var changes []consumertest.Change
	for i, after := range scores[1:] {
		c := consumertest.Change{Table: DefaultScoreTable, Time: at(i), Keys: key}
		if before := scores[i]; before != "" {
			_, c.Old = event(user, 1, before)
		}
		if after != "" {
			_, c.New = event(user, 1, after)
		}
		changes = append(changes, c)
	}
	return changes
}

var players = []string{"reed", "ünï \"🦦\"", "maggy"}

// scores are games of three players, some of whom play far more often than the
// board remembers in the player's own item.
var scores = simulator.Workload{
	Table:  DefaultScoreTable,
	Groups: len(players),
	Key: func(group, n int) consumertest.Item {
		return consumertest.Item{AttrUser: consumertest.S(players[group]), AttrTimestamp: consumertest.S(fmt.Sprintf("2026-01-%02d 00:00:00.%06d", 1+n%9, n))}
	},
	Attributes: func(t *rapid.T, group int) consumertest.Item {
		// A total of more than 38 digits would be refused. The last player's may be
		// that long, the others' have fractions.
		long := []string{"1", "-1", "12345678901234567890123456789012345", "-98765432109876543210987654321098765"}
		short := []string{"1", "2", "3", "-7", "0", "0.1", "-0.000001", "1e3", "1234567890123456789012345678"}
		if group == len(players)-1 {
			short = long
		}
		return consumertest.Item{AttrScore: consumertest.N(rapid.SampledFrom(short).Draw(t, "score"))}
	},
	Burst: aggregate.Capacity + 20,
}

// simulation is of the shipped views with these names.
func simulation(views ...string) simulator.Suite {
	return simulator.Suite{
		Name:     "leaderboard",
		Workload: scores,
		Database: servertest.DynamoDB,
		Setup:    createTables,
		New: func(cfg aws.Config) (consumer.Consumer, error) {
			settings := DefaultSettings()
			settings.LedgerTable = simulatedLedger
			shipped, err := settings.Views()
			if err != nil {
				return nil, err
			}
			shipped = slices.DeleteFunc(shipped, func(v *view.View) bool { return !slices.Contains(views, v.Name) })
			return newOf(dynamodb.NewFromConfig(cfg), settings, shipped), nil
		},
		Read:    readBoards,
		Want:    func(changes []consumertest.Change) map[string]string { return wantBoards(changes, views) },
		Horizon: DefaultHorizon,
		Forget:  forgetLedger,
		// A row of the ledger stays a day longer than it is needed.
		ForgetsAfter: 25 * time.Hour,
	}
}

// readBoards reads every player's total on every board.
func readBoards(ctx context.Context, cfg aws.Config) (map[string]string, error) {
	board := Board{Client: dynamodb.NewFromConfig(cfg)}
	totals := map[string]decimal.Decimal{}
	for _, table := range []string{DefaultBoardTable, DefaultBoxTable} {
		err := board.scan(ctx, table, AttrBoard, func(t Total, board string) error {
			totals[strings.TrimSpace(board+" "+t.User)] = t.Score
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return text(totals), nil
}

// wantBoards sums the scores that the changes leave. A player with nothing may
// be on a board with 0 or not at all.
func wantBoards(changes []consumertest.Change, views []string) map[string]string {
	totals := map[string]decimal.Decimal{}
	for _, c := range changes {
		timestamp := c.Keys[AttrTimestamp].Text()
		day, err := time.Parse(time.DateOnly, timestamp[:len(time.DateOnly)])
		if err != nil {
			panic(err) // the workload makes them
		}
		year, week := day.ISOWeek()
		boards := map[string]string{
			"leaderboard": "",
			"daily":       "daily#" + timestamp[:len(time.DateOnly)] + " ",
			"weekly":      fmt.Sprintf("weekly#%d-W%02d ", year, week),
		}
		for _, v := range views {
			item := boards[v] + c.Keys[AttrUser].Text()
			totals[item] = totals[item].Add(simulatedScore(c.New)).Sub(simulatedScore(c.Old))
		}
	}
	return text(totals)
}

func simulatedScore(image consumertest.Item) decimal.Decimal {
	if image == nil {
		return decimal.Zero
	}
	return decimal.RequireFromString(image[AttrScore].Text())
}

func text(totals map[string]decimal.Decimal) map[string]string {
	items := map[string]string{}
	for user, total := range totals {
		if !total.IsZero() {
			items[user] = total.String()
		}
	}
	return items
}

const simulatedLedger = "Ledger"

// createTables makes the tables of the consumer's template.
func createTables(ctx context.Context, cfg aws.Config) error {
	read, err := template.Read("template.yaml")
	if err != nil {
		return err
	}
	resources, err := read.Resolve(template.Scope{Region: servertest.Region, AccountID: "000000000000", StackName: "test",
		Parameters: map[string]string{"StreamArn": "arn:aws:kinesis:us-east-1:000000000000:stream/changes"}})
	if err != nil {
		return err
	}
	var tables []*dynamodb.CreateTableInput
	for _, table := range resources.Tables {
		if strings.HasPrefix(table.LogicalID, simulatedLedger) {
			table.Name = simulatedLedger
		}
		tables = append(tables, &dynamodb.CreateTableInput{
			TableName: &table.Name, BillingMode: "PAY_PER_REQUEST",
			AttributeDefinitions: table.Attributes, KeySchema: table.Keys, GlobalSecondaryIndexes: table.Indexes,
		})
	}
	return simulator.Recreate(ctx, cfg, tables...)
}

// forgetLedger does what the ledger's time to live does.
func forgetLedger(ctx context.Context, cfg aws.Config) error {
	client := dynamodb.NewFromConfig(cfg)
	out, err := client.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String(simulatedLedger)})
	if err != nil {
		return err
	}
	for _, row := range out.Items {
		for name := range row {
			if name != "Group" && name != "Entry" {
				delete(row, name)
			}
		}
		if _, err := client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String(simulatedLedger), Key: row}); err != nil {
			return err
		}
	}
	return nil
}
