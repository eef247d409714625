package bridge_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	kinesistypes "github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	gocmp "github.com/google/go-cmp/cmp"

	"sluice/deploy/local/bridge"
	"sluice/deploy/local/parttest"
	"sluice/deploy/local/servers/servertest"
)

func TestMain(m *testing.M) { servertest.Main(m) }

// newAndOldImages is the stream that the bridge needs.
var newAndOldImages = &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages}

// world is a table and a stream of their own on the real servers, and a bridge between them.
type world struct {
	t         *testing.T
	dynamodb  *dynamodb.Client
	streams   *dynamodbstreams.Client
	kinesis   *kinesis.Client
	transport faultyTransport // between the bridge and Kinesis
	log       parttest.Log
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldOn(t, servertest.DynamoDB(t), servertest.Ministack(t))
}

// newWorldOn makes a world in the configurations' database, account and region.
func newWorldOn(t *testing.T, databases, streams aws.Config) *world {
	t.Helper()
	w := &world{
		t: t, dynamodb: dynamodb.NewFromConfig(databases), streams: dynamodbstreams.NewFromConfig(databases),
		kinesis: kinesis.NewFromConfig(streams),
	}
	w.createTable("scores", newAndOldImages)
	servertest.CreateStream(t, w.kinesis, "changes", 1)
	parttest.NoLeaks(t)
	return w
}

func (w *world) createTable(name string, stream *types.StreamSpecification) {
	w.t.Helper()
	if _, err := w.dynamodb.CreateTable(w.t.Context(), &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest, StreamSpecification: stream,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
	}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) bridge(change func(*bridge.Config)) *bridge.Bridge {
	w.t.Helper()
	config := bridge.Config{
		Streams: w.streams, DynamoDB: w.dynamodb, Region: w.dynamodb.Options().Region, Seed: 1,
		Kinesis: kinesis.New(w.kinesis.Options(), func(o *kinesis.Options) { o.HTTPClient = &w.transport; o.RetryMaxAttempts = 1 }),
		Tables:  []bridge.Table{{Name: "scores", StreamName: "changes", Precision: bridge.Microsecond}},
		Log:     w.log.Logger(),
	}
	if change != nil {
		change(&config)
	}
	b, err := bridge.New(config)
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

func (w *world) put(item map[string]types.AttributeValue) {
	w.t.Helper()
	if _, err := w.dynamodb.PutItem(w.t.Context(), &dynamodb.PutItemInput{TableName: aws.String("scores"), Item: item}); err != nil {
		w.t.Fatal(err)
	}
}

// play makes n changes of ten items in turn, whose attribute n says the how-manieth change it is.
func (w *world) play(first, n int) {
	w.t.Helper()
	for from := first; from < first+n; from += 10 {
		var puts []types.WriteRequest
		for i := from; i < min(from+10, first+n); i++ {
			puts = append(puts, types.WriteRequest{PutRequest: &types.PutRequest{Item: map[string]types.AttributeValue{
				"id": &types.AttributeValueMemberS{Value: fmt.Sprint("item", i%10)}, "n": &types.AttributeValueMemberN{Value: fmt.Sprint(i)},
			}}})
		}
		out, err := w.dynamodb.BatchWriteItem(w.t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"scores": puts}})
		if err != nil || len(out.UnprocessedItems) > 0 {
			w.t.Fatalf("play: %v, %+v", err, out)
		}
	}
}

// run runs the bridge until ok says so.
func (w *world) run(b *bridge.Bridge, ok func(bridge.Stats) bool) {
	w.t.Helper()
	parttest.RunUntil(w.t, b, &w.log, ok)
}

// carried returns a condition for run: so many changes have been read, and all that came of them is written.
func carried(changes int64) func(bridge.Stats) bool {
	return func(s bridge.Stats) bool { return s.Read == changes && s.Pending == 0 }
}

// record is what Kinesis has.
type record struct {
	sequence string
	key      string
	data     string

	AWSRegion    string          `json:"awsRegion"`
	EventID      string          `json:"eventID"`
	EventName    string          `json:"eventName"`
	UserIdentity json.RawMessage `json:"userIdentity"`
	TableName    string          `json:"tableName"`
	DynamoDB     struct {
		Time      int64  `json:"ApproximateCreationDateTime"`
		Precision string `json:"ApproximateCreationDateTimePrecision"`
		Keys      struct{ ID struct{ S string } }
		NewImage  struct{ N struct{ N string } }
	} `json:"dynamodb"`
}

// id returns the key of the record's item.
func (r *record) id() string { return r.DynamoDB.Keys.ID.S }

func (r *record) micros() int64 {
	if r.DynamoDB.Precision == "MICROSECOND" {
		return r.DynamoDB.Time
	}
	return r.DynamoDB.Time * 1000
}

// records reads the whole stream.
func (w *world) records() (records []record) {
	w.t.Helper()
	start, err := w.kinesis.GetShardIterator(w.t.Context(), &kinesis.GetShardIteratorInput{
		StreamName: aws.String("changes"), ShardId: aws.String("shardId-000000000000"), ShardIteratorType: kinesistypes.ShardIteratorTypeTrimHorizon,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	for iterator := start.ShardIterator; ; {
		out, err := w.kinesis.GetRecords(w.t.Context(), &kinesis.GetRecordsInput{ShardIterator: iterator})
		if err != nil {
			w.t.Fatal(err)
		}
		if len(out.Records) == 0 {
			return records
		}
		for _, raw := range out.Records {
			r := record{sequence: *raw.SequenceNumber, key: *raw.PartitionKey, data: string(raw.Data)}
			if err := json.Unmarshal(raw.Data, &r); err != nil {
				w.t.Fatalf("%s: %v", raw.Data, err)
			}
			records = append(records, r)
		}
		iterator = out.NextShardIterator
	}
}

// numbers returns the attribute n of the records, by item.
func numbers(records []record) map[string][]string {
	byItem := map[string][]string{}
	for _, r := range records {
		byItem[r.id()] = append(byItem[r.id()], r.DynamoDB.NewImage.N.N)
	}
	return byItem
}

// played returns the numbers of play(0, n), by item.
func played(n int) map[string][]string {
	byItem := map[string][]string{}
	for i := range n {
		id := fmt.Sprint("item", i%10)
		byItem[id] = append(byItem[id], fmt.Sprint(i))
	}
	return byItem
}

func TestChangesAreCarriedInOrder(t *testing.T) {
	w := newWorld(t)
	before := time.Now().UnixMicro()
	w.play(0, 300)
	b := w.bridge(nil)
	w.run(b, carried(300))
	after := time.Now().UnixMicro()

	records := w.records()
	if diff := gocmp.Diff(played(300), numbers(records)); diff != "" {
		t.Errorf("changes by item (-want +got):\n%s", diff)
	}
	var last int64
	keys := map[string]string{}
	ids := map[string]bool{}
	for i, r := range records {
		if at := r.micros(); at <= last || at < before || at > after {
			t.Errorf("record %d: time %d, want one after %d and between %d and %d", i, at, last, before, after)
		}
		last = r.micros()
		if known := keys[r.id()]; known != "" && known != r.key {
			t.Errorf("record %d: item %s has the partition keys %s and %s", i, r.id(), known, r.key)
		}
		keys[r.id()] = r.key
		if ids[r.EventID] {
			t.Errorf("record %d: event id %s is not new", i, r.EventID)
		}
		ids[r.EventID] = true
		if r.AWSRegion != "us-east-1" || r.TableName != "scores" || string(r.UserIdentity) != "null" {
			t.Errorf("record %d: %s", i, r.data)
		}
	}
	if got, want := b.Stats().Counts, (bridge.Counts{Read: 300, Written: 300}); got != want {
		t.Errorf("counts %+v, want %+v", got, want)
	}
}

// TestQuietMeansThatAllWasRead makes more changes than one reading gives. Fails for a bridge that counts every reading
// as quiet.
func TestQuietMeansThatAllWasRead(t *testing.T) {
	const changes = 1100
	w := newWorld(t)
	w.play(0, changes)
	b := w.bridge(nil)
	for range 2 {
		before := b.Stats().Tables["scores"].Quiet
		w.run(b, func(s bridge.Stats) bool { return s.Tables["scores"].Quiet > before })
		if got, want := b.Stats().Counts, (bridge.Counts{Read: changes, Written: changes}); got != want {
			t.Fatalf("quiet with the counts %+v, want %+v", got, want)
		}
	}
	records := w.records()
	want := bridge.TableStats{
		Counts: bridge.Counts{Read: changes, Written: changes}, Stream: "changes",
		Last: map[string]string{"shardId-000000000000": records[len(records)-1].sequence},
	}
	got := b.Stats().Tables["scores"]
	want.Quiet, want.MillisSilent = got.Quiet, got.MillisSilent
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("of the table (-want +got):\n%s", diff)
	}
}

// TestRecordOfTheRealStream is the whole way from DynamoDB's own attribute values to the record's bytes.
func TestRecordOfTheRealStream(t *testing.T) {
	w := newWorld(t)
	w.put(map[string]types.AttributeValue{
		"id": &types.AttributeValueMemberS{Value: "a"}, "b": &types.AttributeValueMemberB{Value: []byte{0x12, 0x02, 0x08, 0x7b}},
		"n": &types.AttributeValueMemberN{Value: "12345678901234567890123456789012345678"}, "empty": &types.AttributeValueMemberS{},
		"bs": &types.AttributeValueMemberBS{Value: [][]byte{[]byte("1321")}}, "none": &types.AttributeValueMemberNULL{Value: true},
		"l": &types.AttributeValueMemberL{Value: []types.AttributeValue{&types.AttributeValueMemberBOOL{Value: true}, &types.AttributeValueMemberM{}}},
	})
	w.run(w.bridge(nil), carried(1))
	r := w.records()[0]
	want := fmt.Sprintf(`{"awsRegion":"us-east-1","eventID":%q,"eventName":"INSERT","userIdentity":null,"recordFormat":"application/json",`+
		`"tableName":"scores","dynamodb":{"ApproximateCreationDateTime":%d,"Keys":{"id":{"S":"a"}},"NewImage":{"b":{"B":"RWdJSWV3PT0="},`+
		`"bs":{"BS":["TVRNeU1RPT0="]},"empty":{"S":""},"id":{"S":"a"},"l":{"L":[{"BOOL":true},{"M":{}}]},`+
		`"n":{"N":"12345678901234567890123456789012345678"},"none":{"NULL":true}},"SizeBytes":58,`+
		`"ApproximateCreationDateTimePrecision":"MICROSECOND"},"eventSource":"aws:dynamodb"}`, r.EventID, r.DynamoDB.Time)
	if diff := gocmp.Diff(want, r.data); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
}

func TestModifyRemoveAndExpiry(t *testing.T) {
	w := newWorld(t)
	if _, err := w.dynamodb.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{
		TableName: aws.String("scores"), TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("expires"), Enabled: aws.Bool(true)},
	}); err != nil {
		t.Fatal(err)
	}
	w.play(0, 1)
	w.play(10, 1)
	if _, err := w.dynamodb.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{
		TableName: aws.String("scores"), Key: map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "item0"}},
	}); err != nil {
		t.Fatal(err)
	}
	w.put(map[string]types.AttributeValue{
		"id": &types.AttributeValueMemberS{Value: "old"}, "expires": &types.AttributeValueMemberN{Value: fmt.Sprint(time.Now().Add(-time.Minute).Unix())},
	})
	w.run(w.bridge(nil), carried(5))
	var got []string
	for _, r := range w.records() {
		got = append(got, fmt.Sprint(r.EventName, " ", r.id(), " ", string(r.UserIdentity), " ",
			strings.Contains(r.data, `"NewImage":`), " ", strings.Contains(r.data, `"OldImage":`)))
	}
	want := []string{
		"INSERT item0 null true false", "MODIFY item0 null true true", "REMOVE item0 null false true", "INSERT old null true false",
		`REMOVE old {"type":"Service","principalId":"dynamodb.amazonaws.com"} false true`,
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("kind, item, identity, new and old image (-want +got):\n%s", diff)
	}
}

func TestMisbehaviour(t *testing.T) {
	const changes, seed = 600, 5
	w := newWorld(t)
	b := w.bridge(func(c *bridge.Config) {
		c.Seed, c.Misbehave = seed, bridge.Misbehaviour{Repeat: 0.2, Reorder: 0.2, SwitchPrecision: true}
	})
	w.play(0, changes)
	w.run(b, carried(changes))

	first := map[string]string{} // event id → data
	precisions := map[string]int{}
	repeated, overtaken := int64(0), 0
	last := map[string]int64{}
	for _, r := range w.records() {
		precisions[r.DynamoDB.Precision]++
		if data, again := first[r.EventID]; again {
			repeated++
			if data != r.data {
				t.Errorf("seed %d: repeated with other bytes: %s and %s", seed, data, r.data)
			}
			continue
		}
		first[r.EventID] = r.data
		if r.micros() < last[r.id()] {
			overtaken++
		}
		last[r.id()] = max(last[r.id()], r.micros())
	}
	stats := b.Stats()
	if len(first) != changes || repeated != stats.Repeated || stats.Written != changes+repeated || stats.Repeated == 0 || stats.Reordered == 0 {
		t.Errorf("seed %d: %d different records, %d repeated; stats %+v; want %d changes and every repeat counted", seed, len(first), repeated, stats, changes)
	}
	if overtaken == 0 {
		t.Errorf("seed %d: no record was overtaken by a later one of its item", seed)
	}
	for _, p := range []string{"MICROSECOND", "MILLISECOND", ""} {
		if precisions[p] == 0 {
			t.Errorf("seed %d: no record with precision %q", seed, p)
		}
	}
}

func TestOversizeIsSkipped(t *testing.T) {
	w := newWorld(t)
	large := map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "large"}, "b": &types.AttributeValueMemberB{Value: make([]byte, 390_000)}}
	w.put(large) // 693 KB when encoded twice
	large["n"] = &types.AttributeValueMemberN{Value: "1"}
	w.put(large) // twice that, with the old image
	w.play(0, 1)
	b := w.bridge(nil)
	w.run(b, carried(3))
	var got []string
	for _, r := range w.records() {
		got = append(got, r.EventName+" "+r.id())
	}
	if want := []string{"INSERT large", "INSERT item0"}; !slices.Equal(got, want) {
		t.Errorf("records %v, want %v", got, want)
	}
	if stats := b.Stats(); stats.Oversize != 1 || stats.Written != 2 {
		t.Errorf("stats %+v", stats)
	}
	if !strings.Contains(w.log.String(), "larger than Kinesis takes") {
		t.Errorf("log:\n%s", w.log.String())
	}
}

func TestRefusedEntriesKeepTheirOrder(t *testing.T) {
	w := newWorld(t)
	w.transport.refuse = 3
	w.play(0, 200)
	b := w.bridge(nil)
	w.run(b, carried(200))
	if diff := gocmp.Diff(played(200), numbers(w.records())); diff != "" {
		t.Errorf("changes by item (-want +got):\n%s", diff)
	}
	if stats := b.Stats(); stats.Written != 200 {
		t.Errorf("stats %+v", stats)
	}
	if !strings.Contains(w.log.String(), "ProvisionedThroughputExceededException") {
		t.Errorf("log:\n%s", w.log.String())
	}
}

func TestLostAnswersLoseNoChange(t *testing.T) {
	w := newWorld(t)
	w.transport.lose = 4
	w.play(0, 200)
	w.run(w.bridge(nil), carried(200))
	records := w.records()
	first := map[string]bool{}
	var once []record
	for _, r := range records {
		if !first[r.EventID] {
			once = append(once, r)
		}
		first[r.EventID] = true
	}
	if len(records) == len(once) {
		t.Error("no answer was lost")
	}
	if diff := gocmp.Diff(played(200), numbers(once)); diff != "" {
		t.Errorf("changes by item, repeats left out (-want +got):\n%s", diff)
	}
}

// TestRunGoesOn ends Run in the middle of things and runs the same bridge again.
func TestRunGoesOn(t *testing.T) {
	w := newWorld(t)
	b := w.bridge(func(c *bridge.Config) { c.Misbehave.Reorder = 0.1 })
	for i := range 5 {
		w.play(100*i, 100)
		w.run(b, func(s bridge.Stats) bool { return s.Read > int64(100*i) })
	}
	w.run(b, carried(500))
	// A call that the end of Run broke off may have been carried out: its records come twice.
	records := w.records()
	first := map[string]bool{}
	records = slices.DeleteFunc(records, func(r record) bool {
		again := first[r.EventID]
		first[r.EventID] = true
		return again
	})
	slices.SortStableFunc(records, func(a, b record) int { return cmp.Compare(a.micros(), b.micros()) })
	if diff := gocmp.Diff(played(500), numbers(records)); diff != "" {
		t.Errorf("changes by item, by time and without repeats (-want +got):\n%s", diff)
	}
}

func TestRunNamesWhatIsMissing(t *testing.T) {
	w := newWorld(t)
	w.createTable("silent", nil)
	w.createTable("keysonly", &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeKeysOnly})
	w.play(0, 1)
	for _, test := range []struct{ table, stream, want string }{
		{"missing", "changes", "table missing does not exist"},
		{"silent", "changes", "table silent has no stream of new and old images"},
		{"keysonly", "changes", "table keysonly has no stream of new and old images"},
		{"scores", "missing", "stream missing does not exist"},
	} {
		b := w.bridge(func(c *bridge.Config) { c.Tables[0].Name, c.Tables[0].StreamName = test.table, test.stream })
		if err := b.Run(t.Context()); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: error %v", test, err)
		}
	}
}

func TestSettingsAreChecked(t *testing.T) {
	_, err := bridge.New(bridge.Config{
		Tables:    []bridge.Table{{Name: "a", StreamName: "s", Precision: "SECOND"}, {Name: "a", StreamName: "s"}, {}},
		Misbehave: bridge.Misbehaviour{Repeat: -1, Reorder: 1.5},
	})
	for _, want := range []string{"Streams", "Region", "Tables[0]", "Tables[1]", "Tables[2]", "Misbehave.Repeat", "Misbehave.Reorder"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not name %s: %v", want, err)
		}
	}
}
