package replication

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	smithytime "github.com/aws/smithy-go/time"

	"sluice/consumers/replication/internal/oneway"
	"sluice/consumers/replication/internal/store"
	"sluice/consumers/replication/mark"
	"sluice/shared/change"
	"sluice/shared/declaration"
)

// ReadMargin is how much older than the moment before it was read a scanned item
// counts. The clocks of this machine and of DynamoDB may differ by less than
// that, so a change that the scan didn't see is always newer.
const ReadMargin = 10 * time.Second

// scannedMark is the mark of an item that was scanned by a request sent at a
// moment. Any change within the margin before it is newer, too, and brings the
// item as it is.
func scannedMark(sent time.Time, home string) mark.Mark {
	µs := sent.Add(-ReadMargin).UnixMicro()
	return mark.New(µs, µs, 0, home)
}

// Pair is a route's source and its copy, or a shared table in two regions, as
// people's commands use them. It is safe for concurrent use.
type Pair struct {
	Route  *Route
	Home   string // the source's region
	source *dynamodb.Client
	copy   oneway.Copy
	now    func() time.Time
	sleep  func(context.Context, time.Duration) error
	mirror *Mirror // repairs the items of a shared table; nil for a copy
}

// Pairs returns a Pair for each of the shipped routes, whose copies these are.
func Pairs(cfg aws.Config, s Settings) ([]*Pair, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	routes, err := s.Routes(cfg.Region)
	if err != nil {
		return nil, err
	}
	var pairs []*Pair
	for _, route := range routes {
		pairs = append(pairs, newPair(cfg, s, route, time.Now))
	}
	return pairs, nil
}

// SharedPairs returns, for each of the shipped shared tables, a Pair of the home
// region with each other one. They can be compared and repaired, not backfilled.
func SharedPairs(cfg aws.Config, s Settings) ([]*Pair, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	_, tables, err := s.declared(cfg.Region, RoutesPath, routesFile)
	if err != nil {
		return nil, err
	}
	return sharedPairs(cfg, s, tables, time.Now), nil
}

func sharedPairs(cfg aws.Config, s Settings, tables []*Shared, now func() time.Time) []*Pair {
	var pairs []*Pair
	for _, t := range tables {
		mirror := newMirror(cfg, s, t, now, rand.Uint64)
		for _, region := range t.Regions {
			if region == cfg.Region {
				continue
			}
			route := &Route{Name: t.Name, Source: t.Table, Table: t.Table, Region: region, removeExpired: true}
			pair := newPair(cfg, s, route, now)
			pair.mirror = mirror
			pairs = append(pairs, pair)
		}
	}
	return pairs
}

func newPair(cfg aws.Config, s Settings, route *Route, now func() time.Time) *Pair {
	return &Pair{Route: route, Home: cfg.Region, source: dynamodb.NewFromConfig(cfg), copy: oneway.Copy{Table: s.table(cfg, route, now)}, now: now, sleep: smithytime.SleepWithContext}
}

// Counts returns about how many items the source and the copy have, as DynamoDB counted them in the
// last hours.
func (p *Pair) Counts(ctx context.Context) (source, copied int64, err error) {
	if source, err = itemCount(ctx, p.source, p.Route.Source); err != nil {
		return 0, 0, err
	}
	copied, err = itemCount(ctx, p.copy.Client, p.Route.Table)
	return source, copied, err
}

func itemCount(ctx context.Context, client *dynamodb.Client, table string) (int64, error) {
	out, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table})
	if err != nil {
		return 0, fmt.Errorf("look at table %s: %w", table, err)
	}
	return aws.ToInt64(out.Table.ItemCount), nil
}

// keysOf returns the names of a table's key attributes.
func keysOf(ctx context.Context, client *dynamodb.Client, table string) ([]string, error) {
	out, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table})
	if err != nil {
		return nil, fmt.Errorf("look at the keys of table %s: %w", table, err)
	}
	var names []string
	for _, k := range out.Table.KeySchema {
		names = append(names, aws.ToString(k.AttributeName))
	}
	return names, nil
}

// keyOf returns an item's key attributes.
func keyOf(item store.Item, names []string) store.Item {
	key := store.Item{}
	for _, name := range names {
		key[name] = item[name]
	}
	return key
}

// wants returns what the copy of a source's item holds, but for the mark, and
// false if the route doesn't take the item. The item is changed.
func (r *Route) wants(item store.Item) (store.Item, bool) {
	taken := declaration.AllHold(r.where, func(attribute string) (change.Type, string) { return declaration.TypedOf(item[attribute]) })
	if !taken {
		return nil, false
	}
	delete(item, mark.Attribute) // a source that is itself a copy
	return r.leaves(item), true
}

// get reads an item, strongly consistent; nil if it isn't there.
func get(ctx context.Context, client *dynamodb.Client, table string, key store.Item) (store.Item, error) {
	out, err := client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &table, Key: key, ConsistentRead: aws.Bool(true)})
	if err != nil {
		return nil, fmt.Errorf("read an item of %s: %w", table, err)
	}
	return out.Item, nil
}
