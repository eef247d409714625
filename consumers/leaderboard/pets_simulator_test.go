package leaderboard

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"sluice/consumers/leaderboard/boards"
	"sluice/shared/aggregate"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/gametest"
	"sluice/shared/consumertest/simulator"
	"sluice/shared/keeper"
)

// TestSimulatorPets delivers random histories of activities, which move from one
// pet and day to another, cease to be activities, are removed and expire. The
// counts and the latest of each day stand in the table that they are of, whose
// own changes come by as well.
func TestSimulatorPets(t *testing.T) {
	s := petSimulation()
	s.Schedules = 60
	simulator.Run(t, s)
}

// activities are of two pets on two days. The last group's items are no
// activities: they are the views' own.
var activities = simulator.Workload{
	Table:  gametest.PetTable,
	Groups: 3,
	Key: func(group, n int) consumertest.Item {
		if group == 2 {
			return consumertest.Item{"PK": consumertest.S("PET#rex"), "SK": consumertest.S(fmt.Sprintf("SUMMARY#2024-01-%02d", 10+n))}
		}
		return consumertest.Item{"PK": consumertest.S(fmt.Sprintf("ACTIVITY#%d-%d", group, n)), "SK": consumertest.S("ACTIVITY")}
	},
	Attributes: func(t *rapid.T, group int) consumertest.Item {
		kind := rapid.SampledFrom([]string{"walk", "run", "nap", "🦦"}).Draw(t, "type")
		if group == 2 {
			return consumertest.Item{"activityCount": consumertest.N("7"), "lastActivity": consumertest.S(kind)}
		}
		return consumertest.Item{
			"entityType": consumertest.S(rapid.SampledFrom([]string{"ACTIVITY", "ACTIVITY", "ACTIVITY", "DRAFT"}).Draw(t, "entityType")),
			"petId":      consumertest.S(rapid.SampledFrom([]string{"rex", "ünï#"}).Draw(t, "petId")),
			"timestamp":  consumertest.S(rapid.SampledFrom([]string{"2024-01-15T10:00:00Z", "2024-01-15T23:59:59Z", "2024-01-16"}).Draw(t, "timestamp")),
			"type":       consumertest.S(kind),
		}
	},
	Burst: aggregate.Capacity + 20,
}

func petSimulation() simulator.Suite {
	s := simulation("pet-activity", "pet-day")
	s.Name, s.Workload = "pets", activities
	s.Setup = func(ctx context.Context, cfg aws.Config) error {
		return createTables(ctx, cfg, "template.yaml", gameTables, petTables)
	}
	s.Read, s.Want = readPets, wantPets
	return s
}

// readPets reads the tracker's table: for each key the count and the last activity.
func readPets(ctx context.Context, cfg aws.Config) (map[string]string, error) {
	out, err := dynamodb.NewFromConfig(cfg).Scan(ctx, &dynamodb.ScanInput{TableName: aws.String(gametest.PetTable), ConsistentRead: aws.Bool(true)})
	if err != nil {
		return nil, err
	}
	items := map[string]string{}
	for _, item := range out.Items {
		count, err := boards.Number(item, "activityCount")
		if err != nil {
			return nil, err
		}
		putPet(items, change.TextOf(item["PK"])+" "+change.TextOf(item["SK"]), count, change.TextOf(item["lastActivity"]))
	}
	return items, nil
}

// putPet leaves out what holds nothing: such an item may be there or not.
func putPet(items map[string]string, key string, count decimal.Decimal, last string) {
	if !count.IsZero() || last != "" {
		items[key] = strings.TrimSpace(count.String() + " " + last)
	}
}

// wantPets counts the activities that the changes leave; the latest of a day is
// that of the newest change that put one there, by id.
func wantPets(changes []consumertest.Change) map[string]string {
	counts := map[string]decimal.Decimal{}
	newest, last := map[string]string{}, map[string]string{}
	for _, c := range changes {
		for _, image := range []struct {
			consumertest.Item
			sign int64
		}{{c.New, 1}, {c.Old, -1}} {
			if image.Item == nil || image.Item["entityType"] == nil || image.Item["entityType"].Text() != "ACTIVITY" {
				continue
			}
			pet := "PET#" + image.Item["petId"].Text()
			day := pet + " SUMMARY#" + image.Item["timestamp"].Text()[:len("2024-01-15")]
			for _, key := range []string{"LEADERBOARD " + pet, day} {
				counts[key] = counts[key].Add(decimal.NewFromInt(image.sign))
			}
			if id := idOf(c); image.sign > 0 && id > newest[day] {
				newest[day], last[day] = id, image.Item["type"].Text()
			}
		}
	}
	items := map[string]string{}
	for key, count := range counts {
		putPet(items, key, count, last[key])
	}
	return items
}

// idOf is the identity of a change, by which the latest is decided.
func idOf(c consumertest.Change) string {
	parsed, err := change.Parse(c.Record())
	if err != nil {
		panic(err) // the workload makes them
	}
	return parsed.ID().String()
}

// TestSimulatorExtremes delivers random histories to a view of items that are
// never modified or removed: those that are must become dead letters.
func TestSimulatorExtremes(t *testing.T) {
	s := simulation()
	s.Name, s.Schedules = "extremes", 60
	s.New = func(cfg aws.Config) (consumer.Consumer, error) {
		settings := DefaultSettings()
		settings.LedgerTable = simulatedLedger
		views, err := Views(gametest.With(ViewsFile, "extremes.yaml", extremes))
		if err != nil {
			return nil, err
		}
		return keeper.New(dynamodb.NewFromConfig(cfg), views, settings.LedgerTable, settings.Horizon), nil
	}
	s.Rejects = func(c consumertest.Change) bool { return c.Old != nil && !c.TTL }
	s.Read, s.Want = readExtremes, wantExtremes
	simulator.Run(t, s)
}

const extremes = `
views:
  - name: extremes
    from: {table: "${SCORE_TABLE}", subtractExpired: false, insertOnly: true}
    into: {table: "${BOARD_TABLE}", key: {UserId: "{UserId}"}}
    count: Games
    smallest: {Worst: Score}
    largest: {Best: Score}
`

func readExtremes(ctx context.Context, cfg aws.Config) (map[string]string, error) {
	out, err := dynamodb.NewFromConfig(cfg).Scan(ctx, &dynamodb.ScanInput{TableName: aws.String(gametest.BoardTable), ConsistentRead: aws.Bool(true)})
	if err != nil {
		return nil, err
	}
	items := map[string]string{}
	for _, item := range out.Items {
		var values [3]decimal.Decimal
		for i, attribute := range []string{"Games", "Worst", "Best"} {
			if values[i], err = boards.Number(item, attribute); err != nil {
				return nil, err
			}
		}
		items[change.TextOf(item[gametest.AttrUser])] = extremesText(values[0], values[1], values[2])
	}
	return items, nil
}

func extremesText(games, worst, best decimal.Decimal) string {
	return fmt.Sprintf("%s games from %s to %s", games, worst, best)
}

func wantExtremes(changes []consumertest.Change) map[string]string {
	scores := map[string][]decimal.Decimal{}
	for _, c := range changes {
		if c.Old == nil {
			user := c.Keys[gametest.AttrUser].Text()
			scores[user] = append(scores[user], simulatedScore(c.New))
		}
	}
	items := map[string]string{}
	for user, all := range scores {
		games := decimal.NewFromInt(int64(len(all)))
		items[user] = extremesText(games, slices.MinFunc(all, decimal.Decimal.Cmp), slices.MaxFunc(all, decimal.Decimal.Cmp))
	}
	return items
}
