package search_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"sluice/consumers/search/internal/document"
	"sluice/consumers/search/internal/searchtest"
	"sluice/shared/change"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/blast"
)

// corpora are the items that benchmarks index: a play of three attributes, and a pet of
// about 1 KB with nested and binary values and text with escapes. An item of one number
// is always the same one.
var corpora = map[string]func(n int) (keys, item consumertest.Item){"plays": benchPlay, "pets": benchPet}

func benchPlay(n int) (keys, item consumertest.Item) {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	keys = consumertest.Item{"UserId": consumertest.S(fmt.Sprintf("user-%06d", r.IntN(100_000))), "Timestamp": consumertest.N(fmt.Sprint(1_767_139_200_000_000 + n))}
	return keys, consumertest.Item{"UserId": keys["UserId"], "Timestamp": keys["Timestamp"], "Score": consumertest.N(fmt.Sprint(r.IntN(10_000)))}
}

func benchPet(n int) (keys, item consumertest.Item) {
	r := rand.New(rand.NewPCG(2, uint64(n)))
	s, number := consumertest.S, consumertest.N
	list := func(members ...consumertest.Value) consumertest.Value { return consumertest.Value{"L": members} }
	words := strings.Fields(`calm friendly loves long walks and a "warm" place near the café window; eats twice daily, shy with strangers`)
	var notes strings.Builder
	for notes.Len() < 330 {
		notes.WriteString(words[r.IntN(len(words))] + " \n"[:1+r.IntN(2)])
	}
	photo := make([]byte, 48)
	for i := range photo {
		photo[i] = byte(r.Uint32())
	}
	var visits []consumertest.Value
	for range 4 {
		visits = append(visits, consumertest.Value{"M": consumertest.Item{
			"date": s(fmt.Sprintf("2025-%02d-%02d", 1+r.IntN(12), 1+r.IntN(28))), "vet": s("Dr Brandt"), "cost": number(fmt.Sprintf("%d.%d", r.IntN(300), 1+r.IntN(9))),
		}})
	}
	keys = consumertest.Item{"PK": s(fmt.Sprintf("PET#%08d", n)), "SK": s("PROFILE")}
	return keys, consumertest.Item{
		"PK": keys["PK"], "SK": keys["SK"], "entityType": s("PET"), "petId": s(fmt.Sprintf("%08d", n)), "ownerId": s(fmt.Sprintf("own-%06d", r.IntN(1_000_000))),
		"name": s(fmt.Sprint("Rex ", r.IntN(1000))), "species": s("dog"), "breed": s("border collie"), "notes": s(notes.String()),
		"age": number(fmt.Sprint(r.IntN(20))), "weight": number(fmt.Sprintf("%d.%d", r.IntN(60), 1+r.IntN(9))), "vaccinated": consumertest.Value{"BOOL": true},
		"tags": consumertest.Value{"SS": []string{"agility", "calm", "indoor", "neutered", "vip"}}, "visits": {"L": visits}, "photo": consumertest.B(photo),
		"owner": {"M": consumertest.Item{
			"name": s("María L"), "fax": consumertest.Value{"NULL": true}, "phones": list(s("+1-202-555-0101"), s("+1-202-555-0102")),
			"address": consumertest.Value{"M": consumertest.Item{"street": s("5 Elm Street"), "city": s("Springfield"), "zip": s("01234"), "country": s("US")}},
		}},
	}
}

// transcoded are documents to make, in the forms that they are made of.
type transcoded struct {
	route   document.Route
	payload []byte // as Lambda gives it
	decoder change.Decoder
	changes []*change.Change
	values  []map[string]types.AttributeValue
	size    int // of all images, as DynamoDB's JSON
}

func newTranscoded(t testing.TB, corpus string, n int) *transcoded {
	t.Helper()
	all := &transcoded{route: *searchtest.RouteOf(`{"mappings": {"dynamic": false}}`)}
	var records [][]byte
	for i := range n {
		keys, item := corpora[corpus](i)
		records = append(records, consumertest.Change{Table: "Source", Time: consumertest.Arrival, Keys: keys, New: item}.Record())
		c, err := change.Parse(records[i])
		if err != nil {
			t.Fatal(err)
		}
		values := c.New.AttributeValues()
		image, err := attributevalue.MarshalMapJSON(values)
		if err != nil {
			t.Fatal(err)
		}
		all.changes, all.values = append(all.changes, c), append(all.values, values)
		all.size += len(image)
	}
	all.payload = consumertest.Payload(1, records...)
	return all
}

// ours makes the documents of the payload, or of changes that are decoded already.
func (a *transcoded) ours(decoded bool, each func(text []byte)) error {
	changes := a.changes
	if !decoded {
		records, err := a.decoder.Decode(a.payload)
		if err != nil {
			return err
		}
		changes = make([]*change.Change, len(records))
		for i := range records {
			if records[i].Err != nil {
				return records[i].Err
			}
			changes[i] = records[i].Change
		}
	}
	var documents []byte // of all of them, as Search.write has it
	for n, c := range changes {
		start := len(documents)
		documents = a.route.AppendDocument(documents, c, consumertest.Arrival)
		each(documents[start:])
		if n == 0 {
			documents = slices.Grow(documents, len(documents)*len(changes))
		}
	}
	return nil
}

// library makes them with attributevalue and encoding/json.
func (a *transcoded) library(decoded bool, each func(text []byte)) error {
	images := a.values
	if !decoded {
		var err error
		if images, err = libraryImages(a.payload); err != nil {
			return err
		}
	}
	for _, image := range images {
		var item map[string]any
		if err := attributevalue.UnmarshalMap(image, &item); err != nil {
			return err
		}
		if photo, ok := item["photo"].([]byte); ok && !decoded { // the stream encodes it twice
			var err error
			if item["photo"], err = base64.StdEncoding.AppendDecode(nil, photo); err != nil {
				return err
			}
		}
		document, err := json.Marshal(item)
		if err != nil {
			return err
		}
		each(document)
	}
	return nil
}

// libraryImages reads the new images of a payload, and nothing else of it.
func libraryImages(payload []byte) ([]map[string]types.AttributeValue, error) {
	var event events.KinesisEvent
	if err := json.Unmarshal(payload, &event); err != nil {
		return nil, err
	}
	images := make([]map[string]types.AttributeValue, len(event.Records))
	for i := range event.Records {
		var record struct {
			DynamoDB struct{ NewImage json.RawMessage }
		}
		if err := json.Unmarshal(event.Records[i].Kinesis.Data, &record); err != nil {
			return nil, err
		}
		var err error
		if images[i], err = attributevalue.UnmarshalMapJSON(record.DynamoDB.NewImage); err != nil {
			return nil, err
		}
	}
	return images, nil
}

// The figures compare nothing unless both ways make the same documents.
func TestTranscodersAgree(t *testing.T) {
	for corpus := range corpora {
		all := newTranscoded(t, corpus, 20)
		for _, decoded := range []bool{false, true} {
			var made [2][]map[string]any
			for i, way := range []func(bool, func([]byte)) error{all.ours, all.library} {
				err := way(decoded, func(text []byte) {
					var fields map[string]any
					if err := json.Unmarshal(text, &fields); err != nil {
						t.Fatal(err)
					}
					delete(fields, document.Field)
					made[i] = append(made[i], fields)
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			if differ := cmp.Diff(made[1], made[0]); differ != "" || len(made[0]) != len(all.changes) {
				t.Errorf("%s: the library's documents (-) and ours (+):\n%s", corpus, differ)
			}
		}
	}
}

// BenchmarkDocument measures how fast documents are made, in MB of their images'
// DynamoDB JSON a second, beside attributevalue and encoding/json: from a payload of 500
// records, as Lambda gives it, and from what each has decoded of it. They take turns, and
// the ratios are medians of the turns' ratios.
func BenchmarkDocument(b *testing.B) {
	const documents, rounds, turn = 500, 61, 25 * time.Millisecond
	for _, corpus := range []string{"plays", "pets"} {
		all := newTranscoded(b, corpus, documents)
		for _, from := range []struct {
			name    string
			decoded bool
		}{{"from=payload", false}, {"from=decoded", true}} {
			b.Run(corpus+"/"+from.name, func(b *testing.B) {
				ways := []func(bool, func([]byte)) error{all.ours, all.library}
				turns := make([]blast.Turns, len(ways))
				once := func(way int) {
					if err := ways[way](from.decoded, func([]byte) {}); err != nil {
						b.Fatal(err)
					}
				}
				for round := -1; round < rounds; round++ {
					for way := range ways {
						passes := 1
						took := blast.Time(passes, func() { once(way) })
						passes = max(1, int(turn.Seconds()*took.PerSecond))
						took = blast.Time(passes, func() {
							for range passes {
								once(way)
							}
						})
						if round >= 0 {
							turns[way] = append(turns[way], took)
						}
					}
				}
				megabytes := float64(all.size) / 1e6
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(turns[0].PerSecond()*megabytes, "MB/s")
				b.ReportMetric(turns[1].PerSecond()*megabytes, "library-MB/s")
				b.ReportMetric(turns[0].Over(turns[1]), "ratio")
				b.ReportMetric(testing.AllocsPerRun(20, func() { once(0) })/documents, "allocs/document")
				b.ReportMetric(testing.AllocsPerRun(20, func() { once(1) })/documents, "library-allocs/document")
			})
		}
	}
}
