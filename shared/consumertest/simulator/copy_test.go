package simulator_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/simulator"
)

// replica is a consumer that copies a table, whatever its keys. A copied item
// carries its version; a removed one leaves its version in a table of
// tombstones. Every step may be repeated, and may arrive long after its caller
// has given up: each carries in its own conditions all that makes it right. So
// it wouldn't do to put an item where there is none and to look for a tombstone
// afterwards, since nobody looks after a put that arrives late.
type replica struct{ client *dynamodb.Client }

const (
	copyTable      = "Copy"
	tombstoneTable = "Tombstones"
	attrVersion    = "CopyVersion"
)

func (r replica) Apply(ctx context.Context, c *change.Change) error {
	key, version := c.Keys.AttributeValues(), number64(c.Version)
	if c.New.Exists() {
		return r.put(ctx, key, c.New.AttributeValues(), version)
	}
	return r.remove(ctx, key, version)
}

// put writes the item over an older one. Where there is none, it may have been
// removed already.
func (r replica) put(ctx context.Context, key, item map[string]types.AttributeValue, version types.AttributeValue) error {
	item[attrVersion] = version
	_, err := r.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: aws.String(copyTable), Item: item,
		ConditionExpression:                 aws.String("#v < :v"),
		ExpressionAttributeNames:            map[string]string{"#v": attrVersion},
		ExpressionAttributeValues:           map[string]types.AttributeValue{":v": version},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err)
	switch {
	case !ok:
		return err
	case failed.Item != nil:
		return consumer.Stale
	}
	return r.insert(ctx, key, item, version)
}

// insert writes the item where there is none, if no newer tombstone is left.
func (r replica) insert(ctx context.Context, key, item map[string]types.AttributeValue, version types.AttributeValue) error {
	names, values := map[string]string{"#v": attrVersion}, map[string]types.AttributeValue{":v": version}
	_, err := r.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{ConditionCheck: &types.ConditionCheck{
			TableName: aws.String(tombstoneTable), Key: key,
			ConditionExpression:      aws.String("attribute_not_exists(#v) OR #v < :v"),
			ExpressionAttributeNames: names, ExpressionAttributeValues: values,
		}},
		{Put: &types.Put{
			TableName: aws.String(copyTable), Item: item,
			ConditionExpression:      aws.String("attribute_not_exists(#v)"),
			ExpressionAttributeNames: map[string]string{"#v": attrVersion},
		}},
	}})
	canceled, ok := errors.AsType[*types.TransactionCanceledException](err)
	if ok && aws.ToString(canceled.CancellationReasons[0].Code) == "ConditionalCheckFailed" {
		return consumer.Stale
	}
	return err // if somebody else has put an item meanwhile, the change comes again
}

// remove leaves the tombstone first: an insert that comes in between finds it.
func (r replica) remove(ctx context.Context, key map[string]types.AttributeValue, version types.AttributeValue) error {
	for _, step := range []func(context.Context, map[string]types.AttributeValue, types.AttributeValue) error{r.bury, r.deleteOlder} {
		if err := step(ctx, key, version); err != nil {
			return err
		}
	}
	return nil
}

// bury leaves a tombstone, unless there is a newer one.
func (r replica) bury(ctx context.Context, key map[string]types.AttributeValue, version types.AttributeValue) error {
	tombstone := maps.Clone(key)
	tombstone[attrVersion] = version
	_, err := r.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: aws.String(tombstoneTable), Item: tombstone,
		ConditionExpression:       aws.String("attribute_not_exists(#v) OR #v < :v"),
		ExpressionAttributeNames:  map[string]string{"#v": attrVersion},
		ExpressionAttributeValues: map[string]types.AttributeValue{":v": version},
	})
	if refused(err) {
		return nil
	}
	return err
}

// deleteOlder deletes the item if it is older than version.
func (r replica) deleteOlder(ctx context.Context, key map[string]types.AttributeValue, version types.AttributeValue) error {
	_, err := r.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: aws.String(copyTable), Key: key,
		ConditionExpression:       aws.String("attribute_not_exists(#v) OR #v < :v"),
		ExpressionAttributeNames:  map[string]string{"#v": attrVersion},
		ExpressionAttributeValues: map[string]types.AttributeValue{":v": version},
	})
	if refused(err) {
		return nil
	}
	return err
}

func number64(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func refused(err error) bool {
	_, ok := errors.AsType[*types.ConditionalCheckFailedException](err)
	return ok
}

// keyed is a table by the types of its partition and sort key.
type keyed struct{ partition, sort types.ScalarAttributeType }

var keyedTables = []keyed{{"S", "N"}, {"B", "S"}, {"N", "B"}}

// value returns the n-th value of a type, among them some that are easily taken
// for one another.
func value(kind types.ScalarAttributeType, n int) consumertest.Value {
	switch kind {
	case "N":
		return consumertest.N([]string{
			"12345678901234567890123456789012345678", "12345678901234567890123456789012345679", "-0.00000000000000000000000000000000000001",
		}[n])
	case "B":
		return consumertest.B([][]byte{{0}, {0, 0}, {0xff, 0xfe}}[n])
	default:
		return consumertest.S([]string{"e\u0301", "\u00e9", "🦦 \"\\u0000\"/#"}[n])
	}
}

func (k keyed) workload() simulator.Workload {
	w := books
	w.Table = "Source"
	w.Key = func(group, n int) consumertest.Item {
		return consumertest.Item{"P": value(k.partition, group), "S": value(k.sort, n)}
	}
	return w
}

func (k keyed) createTables(ctx context.Context, cfg aws.Config) error {
	var tables []*dynamodb.CreateTableInput
	for _, name := range []string{copyTable, tombstoneTable} {
		tables = append(tables, &dynamodb.CreateTableInput{
			TableName: aws.String(name), BillingMode: "PAY_PER_REQUEST",
			AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("P"), AttributeType: k.partition}, {AttributeName: aws.String("S"), AttributeType: k.sort}},
			KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("P"), KeyType: "HASH"}, {AttributeName: aws.String("S"), KeyType: "RANGE"}},
		})
	}
	return simulator.Recreate(ctx, cfg, tables...)
}

// copies is a consumer that copies a table with such keys.
func copies(k keyed, copier func(*dynamodb.Client) consumer.Applier) simulator.Suite {
	return simulator.Suite{
		Name:     fmt.Sprintf("copy with keys %s and %s", k.partition, k.sort),
		Workload: k.workload(),
		Database: servertest.DynamoDB,
		Setup:    k.createTables,
		New: func(cfg aws.Config) (consumer.Consumer, error) {
			return consumer.Each(copier(dynamodb.NewFromConfig(cfg))), nil
		},
		Read:      readCopy,
		Want:      wantCopy,
		Horizon:   24 * time.Hour,
		Schedules: 40,
	}
}

func replicas(k keyed) simulator.Suite {
	return copies(k, func(c *dynamodb.Client) consumer.Applier { return replica{c} })
}

// readCopy returns what each item of the copy holds, but for its version.
func readCopy(ctx context.Context, cfg aws.Config) (map[string]string, error) {
	out, err := dynamodb.NewFromConfig(cfg).Scan(ctx, &dynamodb.ScanInput{TableName: aws.String(copyTable)})
	if err != nil {
		return nil, err
	}
	items := map[string]string{}
	for _, item := range out.Items {
		name := plain(item["P"]) + " " + plain(item["S"])
		for _, attribute := range []string{"P", "S", attrVersion} {
			delete(item, attribute)
		}
		items[name] = allPlain(item)
	}
	return items, nil
}

// wantCopy returns what the items hold that the changes leave.
func wantCopy(changes []consumertest.Change) map[string]string {
	want := map[string]string{}
	for _, image := range simulator.Items(changes) {
		item := map[string]types.AttributeValue{}
		for attribute, v := range image {
			item[attribute] = stored(v)
		}
		name := plain(item["P"]) + " " + plain(item["S"])
		delete(item, "P")
		delete(item, "S")
		want[name] = allPlain(item)
	}
	return want
}

// stored is the value that the stream writes as v.
func stored(v consumertest.Value) types.AttributeValue {
	twice, isBinary := v["B"].(string)
	if !isBinary {
		if _, isNumber := v["N"]; isNumber {
			return &types.AttributeValueMemberN{Value: v.Text()}
		}
		return &types.AttributeValueMemberS{Value: v.Text()}
	}
	for range 2 {
		decoded, err := base64.StdEncoding.DecodeString(twice)
		if err != nil {
			panic(err) // the workload makes them
		}
		twice = string(decoded)
	}
	return &types.AttributeValueMemberB{Value: []byte(twice)}
}

// plain writes a value with its type, and a number in the one form that it has.
func plain(v types.AttributeValue) string {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return fmt.Sprintf("%q", v.Value)
	case *types.AttributeValueMemberN:
		return number(v.Value)
	case *types.AttributeValueMemberB:
		return fmt.Sprintf("0x%x", v.Value)
	}
	return fmt.Sprintf("%#v", v)
}

func allPlain(item map[string]types.AttributeValue) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(item)) {
		parts = append(parts, name+" "+plain(item[name]))
	}
	return strings.Join(parts, ", ")
}

// TestSimulatorCopies copies tables with keys of every type.
func TestSimulatorCopies(t *testing.T) {
	for _, k := range keyedTables {
		t.Run(string(k.partition+k.sort), func(t *testing.T) { simulator.Run(t, replicas(k)) })
	}
}

// itemHistory is the history of an item that has these pages one after the other;
// "": it isn't there.
func itemHistory(key consumertest.Item, pages ...string) []consumertest.Change {
	attributes := make([]consumertest.Item, len(pages))
	for i, n := range pages {
		if n != "" {
			attributes[i] = consumertest.Item{"Pages": consumertest.N(n)}
		}
	}
	return consumertest.History("Source", key, attributes...)
}

// TestCopiesInterleaved has one poller remove what the other puts, and two put
// different versions, in every order of their calls.
func TestCopiesInterleaved(t *testing.T) {
	k := keyedTables[0]
	h := itemHistory(k.workload().Key(0, 0), "", "1", "2", "")
	for _, world := range [][2][][]consumertest.Change{
		{{h[:1], h[2:]}, {h[1:2]}},
		{{h[:1]}, {h[1:2]}},
	} {
		simulator.EveryInterleaving(t, replicas(k), 0, world[0], world[1])
	}
}

// TestCopiesInEveryOrder puts an item, changes it, removes it and puts it again,
// in every order and with every repeat; and another, which ends removed.
func TestCopiesInEveryOrder(t *testing.T) {
	s := replicas(keyed{"S", "S"})
	s.Horizon = 0
	for _, pages := range [][]string{{"", "1", "2", "", "3"}, {"", "1", "", "2", ""}} {
		simulator.EveryOrder(t, s, func(n int) []consumertest.Change {
			key := consumertest.Item{"P": consumertest.S(fmt.Sprint("item ", n)), "S": consumertest.S("only")}
			return itemHistory(key, pages...)
		})
	}
}
