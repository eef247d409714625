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
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"sluice/consumers/leaderboard/boards"
	"sluice/deploy/local/servers/servertest"
	"sluice/deploy/local/template"
	"sluice/shared/aggregate"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/gametest"
	"sluice/shared/consumertest/simulator"
	"sluice/shared/keeper"
	"sluice/shared/view"
)

// TestEveryCrash dies at every call of a history in which one player's item
// fills up and is spilled twice, always three at the same time. At the end old changes come late, together
// with changes that the second bucket already holds.
func TestEveryCrash(t *testing.T) {
	var changes []consumertest.Change
	for turn := range 170 {
		key, image := event("reed", turn, fmt.Sprint(turn+1))
		changes = append(changes, consumertest.Change{Table: gametest.ScoreTable, Time: at(turn / 3), Keys: key, New: image})
	}
	batches := slices.Collect(slices.Chunk(changes[4:], aggregate.Capacity/2))
	simulator.EveryCrash(t, simulation("leaderboard"), append(batches, slices.Concat(changes[:4], changes[50:60]))...)
}

// TestSpillInterleaved has two pollers write to an item that is nearly full, in
// every order of their calls. Poller A's second batch doesn't fit, so it spills; in
// between, B adds a change older than what is spilled. It would be looked up in
// A's bucket if it went into a later one, so A's third batch spills again.
func TestSpillInterleaved(t *testing.T) {
	var changes []consumertest.Change
	for turn := range 2 * aggregate.Capacity {
		key, image := event("reed", turn, fmt.Sprint(turn+1))
		changes = append(changes, consumertest.Change{Table: gametest.ScoreTable, Time: at(turn), Keys: key, New: image})
	}
	s := knowing(simulation("leaderboard"))
	s.Horizon = 0 // TestEveryCrash spills and forgets
	simulator.EveryInterleaving(t, s, 0,
		[][]consumertest.Change{changes[1:aggregate.Capacity], changes[aggregate.Capacity : aggregate.Capacity+2], changes[aggregate.Capacity+2:]},
		[][]consumertest.Change{changes[:1]})
}

// TestSimulator delivers random histories of scores in every way that the
// stream may; all boards, those of days and weeks too, must hold the sums of the
// score table.
func TestSimulator(t *testing.T) {
	s := simulation("leaderboard", "daily", "weekly")
	s.Schedules = 300
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
	s := knowing(simulation("leaderboard"))
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
		c := consumertest.Change{Table: gametest.ScoreTable, Time: at(i), Keys: key}
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
	Table:  gametest.ScoreTable,
	Groups: len(players),
	Key: func(group, n int) consumertest.Item {
		return consumertest.Item{gametest.AttrUser: consumertest.S(players[group]), gametest.AttrTimestamp: consumertest.S(fmt.Sprintf("2026-01-%02d 00:00:00.%06d", 1+n%9, n))}
	},
	Attributes: func(t *rapid.T, group int) consumertest.Item {
		// A total of more than 38 digits would be refused. The last player's may be
		// that long, the others' have fractions.
		long := []string{"1", "-1", "12345678901234567890123456789012345", "-98765432109876543210987654321098765"}
		short := []string{"1", "2", "3", "-7", "0", "0.1", "-0.000001", "1e3", "1234567890123456789012345678"}
		if group == len(players)-1 {
			short = long
		}
		return consumertest.Item{gametest.AttrScore: consumertest.N(rapid.SampledFrom(short).Draw(t, "score"))}
	},
	Burst: aggregate.Capacity + 20,
}

// simulation is of the shipped views with these names.
func simulation(views ...string) simulator.Suite {
	return simulator.Suite{
		Name:     "leaderboard",
		Workload: scores,
		Database: servertest.DynamoDB,
		Setup: func(ctx context.Context, cfg aws.Config) error {
			return createTables(ctx, cfg, "template.yaml", gameTables)
		},
		New: func(cfg aws.Config) (consumer.Consumer, error) {
			settings := DefaultSettings()
			settings.LedgerTable = simulatedLedger
			shipped, err := Views(gametest.Declarations())
			if err != nil {
				return nil, err
			}
			shipped = slices.DeleteFunc(shipped, func(v *view.View) bool { return !slices.Contains(views, v.Name) })
			return keeper.New(dynamodb.NewFromConfig(cfg), shipped, settings.LedgerTable, settings.Horizon), nil
		},
		Read:    readBoards,
		Want:    func(changes []consumertest.Change) map[string]string { return wantBoards(changes, views) },
		Horizon: DefaultHorizon,
		Forget:  forgetLedger,
		// A row of the ledger stays a day longer than it is needed.
		ForgetsAfter: 25 * time.Hour,
	}
}

// knowing is a suite whose instances know from their start that no view is being
// rebuilt: a call less for each, where every order of calls is tried.
func knowing(s simulator.Suite) simulator.Suite {
	start := s.New
	s.New = func(cfg aws.Config) (consumer.Consumer, error) {
		cfg = cfg.Copy()
		cfg.APIOptions = append(cfg.APIOptions, func(stack *middleware.Stack) error {
			return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("NoRebuilds", noRebuilds), middleware.Before)
		})
		return start(cfg)
	}
	return s
}

// noRebuilds answers what asks for the rebuilds, with no row, in the place of DynamoDB.
func noRebuilds(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
	if query, ok := in.Parameters.(*dynamodb.QueryInput); ok {
		if group, ok := query.ExpressionAttributeValues[":group"].(*types.AttributeValueMemberS); ok && group.Value == "//rebuild" {
			return middleware.InitializeOutput{Result: &dynamodb.QueryOutput{}}, middleware.Metadata{}, nil
		}
	}
	return next.HandleInitialize(ctx, in)
}

// readBoards reads every player's total on every board, and since when.
func readBoards(ctx context.Context, cfg aws.Config) (map[string]string, error) {
	client := dynamodb.NewFromConfig(cfg)
	totals := map[string]simulatedTotal{}
	for _, table := range []string{gametest.BoardTable, gametest.BoxTable} {
		out, err := client.Scan(ctx, &dynamodb.ScanInput{TableName: &table, ConsistentRead: aws.Bool(true)})
		if err != nil {
			return nil, err
		}
		for _, item := range out.Items {
			score, err := boards.Number(item, gametest.AttrScore)
			if err != nil {
				return nil, err
			}
			total := simulatedTotal{sum: score}
			if reached, err := boards.Number(item, gametest.AttrReachedAt); err == nil {
				total.reachedAt = time.UnixMicro(reached.IntPart()).UTC()
			}
			totals[strings.TrimSpace(change.TextOf(item[gametest.AttrBoard])+" "+change.TextOf(item[gametest.AttrUser]))] = total
		}
	}
	return text(totals), nil
}

// simulatedTotal is a total, and when it last changed.
type simulatedTotal struct {
	sum       decimal.Decimal
	reachedAt time.Time
}

// wantBoards sums the scores that the changes leave, and tells when the newest of
// those was made that changed the sum.
func wantBoards(changes []consumertest.Change, views []string) map[string]string {
	totals := map[string]simulatedTotal{}
	for _, c := range changes {
		timestamp := c.Keys[gametest.AttrTimestamp].Text()
		day, err := time.Parse(time.DateOnly, timestamp[:len(time.DateOnly)])
		if err != nil {
			panic(err) // the workload makes them
		}
		year, week := day.ISOWeek()
		names := map[string]string{
			"leaderboard": "",
			"daily":       "daily#" + timestamp[:len(time.DateOnly)] + " ",
			"weekly":      fmt.Sprintf("weekly#%d-W%02d ", year, week),
		}
		for _, v := range views {
			item := names[v] + c.Keys[gametest.AttrUser].Text()
			total, difference := totals[item], simulatedScore(c.New).Sub(simulatedScore(c.Old))
			total.sum = total.sum.Add(difference)
			if at := c.Written().UTC(); !difference.IsZero() && at.After(total.reachedAt) {
				total.reachedAt = at
			}
			totals[item] = total
		}
	}
	return text(totals)
}

func simulatedScore(image consumertest.Item) decimal.Decimal {
	if image == nil {
		return decimal.Zero
	}
	return decimal.RequireFromString(image[gametest.AttrScore].Text())
}

// text leaves out totals that never changed: a player who only ever scored 0 may
// be on a board or not.
func text(totals map[string]simulatedTotal) map[string]string {
	items := map[string]string{}
	for user, total := range totals {
		if !total.reachedAt.IsZero() {
			items[user] = total.sum.String() + " since " + total.reachedAt.Format(time.RFC3339Nano)
		}
	}
	return items
}

const simulatedLedger = "Ledger"

// createTables makes the tables of these templates.
func createTables(ctx context.Context, cfg aws.Config, templates ...string) error {
	var tables []*dynamodb.CreateTableInput
	for _, path := range templates {
		read, err := template.Read(path)
		if err != nil {
			return err
		}
		resources, err := read.Resolve(template.Scope{Region: servertest.Region, AccountID: "000000000000", StackName: "test",
			Parameters: map[string]string{"StreamArn": "arn:aws:kinesis:us-east-1:000000000000:stream/changes"}})
		if err != nil {
			return err
		}
		for _, table := range resources.Tables {
			if strings.HasPrefix(table.LogicalID, simulatedLedger) {
				table.Name = simulatedLedger
			}
			tables = append(tables, &dynamodb.CreateTableInput{
				TableName: &table.Name, BillingMode: "PAY_PER_REQUEST",
				AttributeDefinitions: table.Attributes, KeySchema: table.Keys, GlobalSecondaryIndexes: table.Indexes,
			})
		}
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
		if row["ExpiresAt"] == nil {
			continue
		}
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
