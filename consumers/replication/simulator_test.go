package replication

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"sluice/consumers/replication/internal/store"
	"sluice/consumers/replication/mark"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/gametest"
	"sluice/shared/consumertest/simulator"
)

func TestMain(m *testing.M) { servertest.Main(m) }

// TestSmallWorlds tries all that may happen to a change or two: an insert and the removal
// meet, or are one batch; two removals come before what they removed; an item ceases to match what its copy asks for.
func TestSmallWorlds(t *testing.T) {
	changes := history(1, []string{"", "a", ""})
	insert, remove := changes[:1], changes[1:]
	s := knowing(simulation())
	simulator.EveryInterleaving(t, s, 1, [][]consumertest.Change{remove}, [][]consumertest.Change{insert})
	simulator.EveryInterleaving(t, s, 1, [][]consumertest.Change{changes}, nil)

	changes = history(1, []string{"", "a", "", "b", ""})
	simulator.EveryInterleaving(t, s, 0, [][]consumertest.Change{changes[3:], changes[1:2], changes[2:3], changes[:1]}, nil)

	s = knowing(public())
	changes = history(1, []string{"", "a", "b"})
	changes[0].New["kind"] = consumertest.S("pub")
	changes[1].Old = changes[0].New
	simulator.EveryInterleaving(t, s, 0, [][]consumertest.Change{changes[:1], changes[1:]}, nil)
}

// TestEveryCrash dies at every call of a history that two pollers deliver at
// once, in order and with new changes before old ones.
func TestEveryCrash(t *testing.T) {
	s := simulation()
	s.Horizon = 0
	changes := history(1, []string{"", "a", "", "b", "c", ""})
	simulator.EveryCrash(t, s, changes[4:], changes[2:4], changes[:2], changes[1:3])
	simulator.EveryCrash(t, s, slices.Collect(slices.Chunk(changes, 1))...)
}

// TestEveryInterleaving delivers an item's removal before its two puts, to two
// pollers whose calls go in every order, and one of which dies just after any call.
// So a put may die between its write and its look at the tombstone, the newer one
// write over what it left and, since something older was there, not look either:
// only the first, when it comes again and finds something newer, can find out.
func TestEveryInterleaving(t *testing.T) {
	s := knowing(simulation())
	s.Horizon = 0
	changes := history(1, []string{"", "a", "b", ""})
	first := [][]consumertest.Change{changes[2:], changes[:1]}
	simulator.EveryInterleaving(t, s, 1, first, [][]consumertest.Change{changes[1:2]})
}

// TestSimulator delivers random histories of items with all types of attributes
// in every way that the stream may; the copy in the other region must hold what
// the source holds.
func TestSimulator(t *testing.T) {
	s := simulation()
	s.Schedules = 500
	simulator.Run(t, s)
}

// TestSimulatorWhatLeaves is TestSimulator for a copy that leaves items and
// attributes out and keeps what expires.
func TestSimulatorWhatLeaves(t *testing.T) {
	s := public()
	s.Schedules = 80
	simulator.Run(t, s)
}

// public is a simulation of a copy of what is public.
func public() simulator.Suite {
	s := simulation()
	s.New = newOfRoutes(`replicas:
  - name: public
    from: {table: Source, where: {kind: {prefix: pub}}, removeExpired: false}
    into: {table: Copy, region: eu-west-1}
    leaveOut: [secret]
    mask: [email]
`)
	s.Want = wantPublic
	s.Rejects = func(c consumertest.Change) bool {
		return reserved(c) && strings.HasPrefix(c.New["kind"].Text(), "pub")
	}
	return s
}

// TestSimulatorFewItems is TestSimulator with three items, which are written and
// removed again and again.
func TestSimulatorFewItems(t *testing.T) {
	s := simulation()
	s.Workload.Groups, s.Workload.Burst = 1, 0
	s.Schedules = 120
	simulator.Run(t, s)
}

// TestEveryOrder inserts an item, changes it, removes it, and inserts and changes
// it again, in every order and with every repeat.
func TestEveryOrder(t *testing.T) {
	s := knowing(simulation())
	s.Horizon = 0
	texts := []string{"", "a", "b", "", "c", "d"}
	for n := 1; n < len(texts); n++ {
		simulator.EveryOrder(t, s, func(i int) []consumertest.Change { return history(i, texts[:n+1]) })
	}
}

// history returns the changes of one item that holds one text after the other;
// "": it isn't there.
func history(item int, texts []string) []consumertest.Change {
	attributes := make([]consumertest.Item, len(texts))
	for i, text := range texts {
		if text != "" {
			attributes[i] = consumertest.Item{"text": consumertest.S(text)}
		}
	}
	return consumertest.History(items.Table, items.Key(0, item), attributes...)
}

// items have binary and number keys, and attributes of every type. Some hold
// the reserved attribute, which must be refused.
var items = simulator.Workload{
	Table: "Source",
	Key: func(group, n int) consumertest.Item {
		numbers := []string{"12345678901234567890123456789012345678", "-0.5", "1e3"}
		return consumertest.Item{"id": consumertest.B([]byte{0xff, byte(group), 0, byte(n), byte(n >> 8)}), "part": consumertest.N(numbers[group%len(numbers)])}
	},
	Attributes: func(t *rapid.T, _ int) consumertest.Item {
		item := consumertest.Item{
			"kind":   consumertest.S(rapid.SampledFrom([]string{"public", "pub", "private"}).Draw(t, "kind")),
			"secret": consumertest.N(simulator.Numbers().Draw(t, "secret")),
			"any":    rapid.SampledFrom(values).Draw(t, "any"),
		}
		if rapid.Bool().Draw(t, "has email") {
			item["email"] = consumertest.S(simulator.Names().Draw(t, "email"))
		}
		if rapid.IntRange(0, 19).Draw(t, "reserved") == 19 {
			item[mark.Attribute] = consumertest.S("mine")
		}
		return item
	},
	Burst: 40,
}

// values are of every type, and what is reserved on top only.
var values = append(simulator.EveryType(),
	consumertest.Value{"M": consumertest.Item{" ": consumertest.B([]byte("{}")), "Sluice": consumertest.S("not on top")}},
	deep(31),
)

// deep is a list in a list and so on.
func deep(levels int) consumertest.Value {
	if levels == 0 {
		return consumertest.S("bottom")
	}
	return consumertest.Value{"L": []consumertest.Value{deep(levels - 1)}}
}

// away is the region of the copies.
const away = "eu-west-1"

func inRegion(cfg aws.Config, region string) aws.Config {
	cfg = cfg.Copy()
	cfg.Region = region
	return cfg
}

const shippedRoute = `replicas:
  - name: replica
    from: {table: Source}
    into: {table: Copy, region: eu-west-1}
`

// simulation is of a whole copy.
func simulation() simulator.Suite {
	return simulator.Suite{
		Name:     "replication",
		Workload: items,
		Database: servertest.DynamoDB,
		Setup: func(ctx context.Context, cfg aws.Config) error {
			return simulator.Recreate(ctx, inRegion(cfg, away), tableOf("Copy", "id", "B", "part", "N"), tableOf(DefaultTombstoneTable, store.TombstoneKey, "B"))
		},
		New:          newOfRoutes(shippedRoute),
		Read:         readCopy,
		Want:         wantCopy,
		Rejects:      reserved,
		Prompt:       true, // see Not guaranteed in package oneway
		Horizon:      DefaultHorizon,
		ForgetsAfter: 25 * time.Hour,
		Forget:       forgetTombstones,
	}
}

// knowing is a suite whose instances know from their start that the tables are as
// they must be: two calls less for each, where every order of calls is tried.
func knowing(s simulator.Suite) simulator.Suite {
	start := s.New
	s.New = func(cfg aws.Config) (consumer.Consumer, error) {
		c, err := start(cfg)
		if err != nil {
			return nil, err
		}
		for _, d := range c.(*Replication).destinations {
			d.keys.Store(&store.Keys{"id": "B", "part": "N"})
		}
		return c, nil
	}
	return s
}

// reserved tells whether a change writes the attribute that is replication's own.
func reserved(c consumertest.Change) bool {
	_, ok := c.New[mark.Attribute]
	return ok
}

// tableOf describes a table by its key attributes and their types.
func tableOf(name string, keys ...string) *dynamodb.CreateTableInput {
	in := &dynamodb.CreateTableInput{TableName: &name, BillingMode: types.BillingModePayPerRequest}
	kinds := []types.KeyType{types.KeyTypeHash, types.KeyTypeRange}
	for i := 0; i < len(keys); i += 2 {
		in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{AttributeName: &keys[i], AttributeType: types.ScalarAttributeType(keys[i+1])})
		in.KeySchema = append(in.KeySchema, types.KeySchemaElement{AttributeName: &keys[i], KeyType: kinds[i/2]})
	}
	return in
}

// newOfRoutes starts instances that serve these routes.
func newOfRoutes(text string) func(aws.Config) (consumer.Consumer, error) {
	return func(cfg aws.Config) (consumer.Consumer, error) {
		settings := DefaultSettings()
		routes, err := Routes(gametest.With(ReplicasFile, "test.yaml", text), cfg.Region)
		if err != nil {
			return nil, err
		}
		return NewOf(cfg, settings, routes, time.Now), nil
	}
}

// readCopy reads the copy, each item without its mark, which it must have.
func readCopy(ctx context.Context, cfg aws.Config) (map[string]string, error) {
	copied := map[string]string{}
	pages := dynamodb.NewScanPaginator(dynamodb.NewFromConfig(inRegion(cfg, away)), &dynamodb.ScanInput{TableName: aws.String("Copy"), ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, item := range page.Items {
			m, err := mark.In(item)
			if err != nil {
				return nil, err
			}
			if m.Region() != servertest.Region {
				return nil, fmt.Errorf("an item has the mark %x, which isn't of region %s", m, servertest.Region)
			}
			delete(item, mark.Attribute)
			name, err := change.ItemKey("", store.Item{"id": item["id"], "part": item["part"]})
			if err != nil {
				return nil, err
			}
			copied[name] = textOf(&types.AttributeValueMemberM{Value: item})
		}
	}
	return copied, nil
}

// wantCopy returns the items that the changes leave, whole.
func wantCopy(changes []consumertest.Change) map[string]string {
	return fold(changes, func(c *change.Change) (item store.Item, stays bool) { return c.New.AttributeValues(), false })
}

// wantPublic returns what the changes leave of items that are public.
func wantPublic(changes []consumertest.Change) map[string]string {
	return fold(changes, func(c *change.Change) (store.Item, bool) {
		kind, _ := c.New.String("kind")
		if !strings.HasPrefix(kind, "pub") {
			old, _ := c.Old.String("kind")
			return nil, c.ByTTL() || !strings.HasPrefix(old, "pub")
		}
		item := c.New.AttributeValues()
		delete(item, "secret")
		if item["email"] != nil {
			item["email"] = &types.AttributeValueMemberS{Value: "***"}
		}
		return item, false
	})
}

// fold returns the items that the changes leave; after tells what a change leaves
// of its item, nil for nothing, or that what was there stays.
func fold(changes []consumertest.Change, after func(*change.Change) (item store.Item, stays bool)) map[string]string {
	sorted := slices.Clone(changes)
	slices.SortStableFunc(sorted, func(a, b consumertest.Change) int { return a.Written().Compare(b.Written()) })
	left := map[string]string{}
	for _, written := range sorted {
		c, err := change.Parse(written.Record())
		if err != nil {
			panic(err) // the workload makes them
		}
		name, err := change.ItemKey("", c.Keys.AttributeValues())
		if err != nil {
			panic(err)
		}
		item, stays := after(c)
		switch {
		case item != nil:
			left[name] = textOf(&types.AttributeValueMemberM{Value: item})
		case !stays:
			delete(left, name)
		}
	}
	return left
}

// textOf writes a value so that equal ones have equal texts: members of maps and
// sets sorted, numbers in one form.
func textOf(v types.AttributeValue) string {
	number := func(n string) string {
		d := decimal.RequireFromString(n)
		return d.Coefficient().Text(10) + "e" + fmt.Sprint(d.Exponent())
	}
	trimmed := func(n string) string {
		text, exponent, _ := strings.Cut(number(n), "e")
		for strings.HasSuffix(text, "0") && text != "0" {
			text = text[:len(text)-1]
			exponent = decimal.RequireFromString(exponent).Add(decimal.NewFromInt(1)).String()
		}
		if text == "0" {
			exponent = "0"
		}
		return text + "e" + exponent
	}
	list := func(kind string, parts []string) string { return kind + "[" + strings.Join(parts, ",") + "]" }
	var parts []string
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return fmt.Sprintf("%q", v.Value)
	case *types.AttributeValueMemberN:
		return trimmed(v.Value)
	case *types.AttributeValueMemberB:
		return fmt.Sprintf("x%x", v.Value)
	case *types.AttributeValueMemberBOOL:
		return fmt.Sprint(v.Value)
	case *types.AttributeValueMemberNULL:
		return "null"
	case *types.AttributeValueMemberSS:
		for _, s := range v.Value {
			parts = append(parts, fmt.Sprintf("%q", s))
		}
		slices.Sort(parts)
		return list("SS", parts)
	case *types.AttributeValueMemberNS:
		for _, n := range v.Value {
			parts = append(parts, trimmed(n))
		}
		slices.Sort(parts)
		return list("NS", parts)
	case *types.AttributeValueMemberBS:
		for _, b := range v.Value {
			parts = append(parts, fmt.Sprintf("x%x", b))
		}
		slices.Sort(parts)
		return list("BS", parts)
	case *types.AttributeValueMemberL:
		for _, member := range v.Value {
			parts = append(parts, textOf(member))
		}
		return list("L", parts)
	case *types.AttributeValueMemberM:
		for _, name := range slices.Sorted(maps.Keys(v.Value)) {
			parts = append(parts, fmt.Sprintf("%q: %s", name, textOf(v.Value[name])))
		}
		return list("M", parts)
	}
	panic(fmt.Sprintf("no text for %T", v))
}

// forgetTombstones does what the tombstones' time to live does.
func forgetTombstones(ctx context.Context, cfg aws.Config) error {
	client := dynamodb.NewFromConfig(inRegion(cfg, away))
	out, err := client.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String(DefaultTombstoneTable)})
	if err != nil {
		return err
	}
	for _, row := range out.Items {
		key := store.Item{store.TombstoneKey: row[store.TombstoneKey]}
		if _, err := client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String(DefaultTombstoneTable), Key: key}); err != nil {
			return err
		}
	}
	return nil
}
