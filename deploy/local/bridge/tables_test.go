package bridge_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	gocmp "github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"sluice/deploy/local/bridge"
	"sluice/deploy/local/servers/servertest"
)

// waitingStreams stands between the bridge and DynamoDB Streams and counts the streams of which it has an iterator.
type waitingStreams struct {
	mu   sync.Mutex
	arns map[string]bool
}

func (w *waitingStreams) Do(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".GetShardIterator") {
		return http.DefaultClient.Do(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var call struct{ StreamArn string }
	if err := json.Unmarshal(body, &call); err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	response, err := http.DefaultClient.Do(r)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.arns[call.StreamArn] = true
	return response, err
}

func (w *waitingStreams) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.arns)
}

// TestTablesSideBySide changes several tables at once while the bridge waits at the empty streams of all, and one of them
// only after the others. Fails for a bridge that takes DynamoDB Local's word that the first change behind a
// waiting iterator was trimmed, and for one that then reads a shard anew of which it has read changes.
func TestTablesSideBySide(t *testing.T) {
	const writers, changes = 5, 20 // of each table; of each writer
	w := newWorld(t)
	waiting := &waitingStreams{arns: map[string]bool{}}
	tables := []string{"scores", "pets", "boards", "late"}
	for _, name := range tables[1:] {
		w.createTable(name, newAndOldImages)
	}
	b := w.bridge(func(c *bridge.Config) {
		c.Streams = dynamodbstreams.New(w.streams.Options(), func(o *dynamodbstreams.Options) { o.HTTPClient = waiting })
		c.Tables = nil
		for _, name := range tables {
			c.Tables = append(c.Tables, bridge.Table{Name: name, StreamName: "changes", Precision: bridge.Microsecond})
		}
	})

	want := map[string][]string{} // table and item → numbers of the changes
	writing, ctx := errgroup.WithContext(t.Context())
	write := func(table string) {
		for writer := range writers {
			id := fmt.Sprint("item", writer)
			for i := range changes {
				want[table+" "+id] = append(want[table+" "+id], fmt.Sprint(i))
			}
			writing.Go(func() error {
				for i := range changes {
					if _, err := w.dynamodb.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: map[string]types.AttributeValue{
						"id": &types.AttributeValueMemberS{Value: id}, "n": &types.AttributeValueMemberN{Value: fmt.Sprint(i)},
					}}); err != nil {
						return fmt.Errorf("table %s: %w", table, err)
					}
				}
				return nil
			})
		}
	}
	writeAtOnce := sync.OnceFunc(func() {
		for _, table := range tables[:3] {
			write(table)
		}
	})
	w.run(b, func(s bridge.Stats) bool {
		if waiting.count() < len(tables) {
			return false
		}
		writeAtOnce()
		return carried(3 * writers * changes)(s)
	})
	write("late")
	w.run(b, carried(4*writers*changes))
	if err := writing.Wait(); err != nil {
		t.Fatal(err)
	}

	got := map[string][]string{}
	for _, r := range w.records() {
		got[r.TableName+" "+r.id()] = append(got[r.TableName+" "+r.id()], r.DynamoDB.NewImage.N.N)
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("changes by table and item (-want +got):\n%s", diff)
	}
}

// TestRegionsSideBySide has a table and a stream of the same names in two regions of the same servers, a bridge for each.
// Fails for servers that keep regions in one database or account, and for clients made for another region.
func TestRegionsSideBySide(t *testing.T) {
	databases, streams := servertest.DynamoDB(t), servertest.Ministack(t)
	want, got := map[string]map[string][]string{}, map[string]map[string][]string{}
	worlds := map[string]*world{}
	for i, region := range []string{"us-east-1", "eu-west-1"} {
		databases.Region, streams.Region = region, region
		worlds[region] = newWorldOn(t, databases, streams)
		worlds[region].play(0, 20*(i+1))
		want[region] = played(20 * (i + 1))
	}
	for region, w := range worlds {
		w.run(w.bridge(nil), carried(int64(len(want[region]["item0"])*10)))
		records := w.records()
		for _, r := range records {
			if r.AWSRegion != region {
				t.Errorf("in region %s: record of region %s", region, r.AWSRegion)
			}
		}
		got[region] = numbers(records)
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("changes by region and item (-want +got):\n%s", diff)
	}
}
