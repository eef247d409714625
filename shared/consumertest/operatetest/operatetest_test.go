package operatetest

import (
	"context"
	"fmt"
	"net/http"
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
	"sluice/shared/operate"
)

func TestMain(m *testing.M) { servertest.Main(m) }

// careless says what a copier does wrong.
type careless struct {
	firstLook    bool // it judges at the first look
	deletes      bool // its repair deletes unasked
	overwrites   bool // its repair and its backfill know no condition
	losesPage    bool // its backfill saves how far it came before it writes
	deaf         bool // its comparison takes a table that it can't read for empty
	stopsAtABad  bool // its comparison ends at an item that it can't use
	leavesOut    bool // its comparison doesn't read the destination
	namesNoState bool // its comparison doesn't tell that the destination changes
}

// A copier keeps a copy of a table: the attributes of each item, and in Made when that was so. A removed item keeps its Made alone.
type copier struct {
	careless

	client       *dynamodb.Client
	source, copy *operate.Source
	items, held  int
	cached       []operate.Difference
	tally        operate.Tally
}

func (*copier) Title() operate.Title {
	return operate.Title{Name: "copy", Source: "table Orders", Destination: "table Copy"}
}

func (c *copier) open(ctx context.Context) error {
	if err := c.source.Open(ctx); err != nil {
		return err
	}
	return c.copy.Open(ctx)
}

// both is an item in both tables.
type both struct{ key, source, copy operate.Item }

func (c *copier) Look(ctx context.Context, suspects []operate.Difference) (operate.Look, error) {
	if c.firstLook && suspects != nil {
		return operate.Look{Items: c.items, Held: c.held, Differences: c.cached}, nil
	}
	all := map[string]*both{}
	before := map[string]*both{}
	for _, d := range suspects {
		before[d.Key] = d.Ref.(*both)
	}
	look := operate.Look{Differences: []operate.Difference{}}
	read := func(s *operate.Source, note func(b *both, i operate.Item)) error {
		return s.Scan(ctx, 1, func(_ context.Context, p operate.Page) error {
			for _, i := range p.Items {
				if _, bad := i["Bad"]; bad {
					if c.stopsAtABad {
						return fmt.Errorf("item %s is bad", s.KeyText(i))
					}
					look.UnusableCount++
					look.Unusable = append(look.Unusable, operate.Unusable{Table: s.Table, Key: s.KeyText(i), Reason: "it is bad"})
					continue
				}
				key := s.KeyText(i)
				if all[key] == nil {
					all[key] = &both{key: s.Key(i)}
				}
				note(all[key], i)
			}
			return nil
		})
	}
	if err := c.open(ctx); err != nil {
		return look, err
	}
	if err := read(c.source, func(b *both, i operate.Item) { b.source = i }); err != nil && !c.deaf {
		return look, err
	}
	if err := read(c.copy, func(b *both, i operate.Item) { b.copy = i }); err != nil && !c.deaf {
		return look, err
	}
	for key, b := range all {
		d := operate.Difference{Key: key, Ref: b}
		switch copied := b.copy["text"]; {
		case b.source != nil && copied == nil:
			d.What = operate.Missing
		case b.source == nil && copied != nil && !c.leavesOut:
			d.What = operate.Extra
		case b.source != nil && textOf(b.source) != textOf(b.copy):
			d.What = operate.Different
		}
		if b.source != nil {
			look.Items++
		}
		if b.copy["text"] != nil {
			look.Held++
		}
		if was := before[key]; was != nil && d.What != "" {
			d.Moving = !c.namesNoState && change.ItemHash(was.copy) != change.ItemHash(b.copy)
			d.Written = change.ItemHash(was.source) != change.ItemHash(b.source)
		}
		if _, asked := before[key]; d.What != "" && (asked || suspects == nil) {
			look.Differences = append(look.Differences, d)
		}
	}
	c.items, c.held, c.cached = look.Items, look.Held, look.Differences
	return look, nil
}

func (c *copier) Steps(r operate.Report, remove bool) []operate.Step {
	return []operate.Step{r.Step(remove)}
}

func (c *copier) Repair(ctx context.Context, differences []operate.Difference, remove bool) error {
	for i := range differences {
		d := &differences[i]
		if d.What == operate.Extra && !remove && !c.deletes || d.Written {
			continue
		}
		item, version, err := c.source.Get(ctx, d.Ref.(*both).key)
		if err != nil {
			return err
		}
		if err := c.bring(ctx, d.Ref.(*both).key, item, version); consumer.OutcomeOf(err) == consumer.Retry {
			return err
		}
		d.Repair = "repaired"
	}
	return nil
}

// bring writes what an item of the source is at a moment, unless the copy has something newer.
func (c *copier) bring(ctx context.Context, key, item operate.Item, at time.Time) error {
	copied := operate.Item{"Id": key["Id"], "Made": &types.AttributeValueMemberN{Value: strconv.FormatInt(at.UnixMicro(), 10)}}
	if item != nil {
		copied["text"] = item["text"]
	}
	in := &dynamodb.PutItemInput{TableName: aws.String("Copy"), Item: copied}
	if !c.overwrites {
		in.ConditionExpression = aws.String("attribute_not_exists(Made) OR Made < :at")
		in.ExpressionAttributeValues = operate.Item{":at": copied["Made"]}
	}
	_, err := c.client.PutItem(ctx, in)
	if err != nil && strings.Contains(err.Error(), "ConditionalCheckFailed") {
		return consumer.Stale
	}
	return err
}

func (c *copier) cursorKey() operate.Item {
	return operate.Item{"Name": &types.AttributeValueMemberS{Value: "backfill"}}
}

func (c *copier) save(ctx context.Context, at operate.Cursor) error {
	row := c.cursorKey()
	if row["After"] = (&types.AttributeValueMemberM{Value: at.After}); at.Done || at.After == nil {
		_, err := c.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String("Cursors"), Key: c.cursorKey()})
		return err
	}
	_, err := c.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("Cursors"), Item: row})
	return err
}

// filler is a copier's backfill.
type filler struct{ *copier }

func (f filler) Steps(ctx context.Context) ([]operate.Step, error) {
	return []operate.Step{{Into: "table Copy", Write: 1, About: true}}, f.open(ctx)
}

func (f filler) Run(ctx context.Context, progress func(int)) (operate.Backfilled, error) {
	cursors := operate.Source{Client: f.client, Table: "Cursors"}
	row, _, err := cursors.Get(ctx, f.cursorKey())
	if err != nil {
		return operate.Backfilled{}, err
	}
	var at operate.Cursor
	if after, ok := row["After"].(*types.AttributeValueMemberM); ok {
		at.After = after.Value
	}
	err = f.source.Resume(ctx, []operate.Cursor{at}, func(ctx context.Context, p operate.Page) error {
		if f.losesPage {
			if err := f.save(ctx, operate.Cursor{After: p.Next, Done: p.Next == nil}); err != nil {
				return err
			}
		}
		for _, item := range p.Items {
			outcome := error(consumer.Skip)
			if _, bad := item["Bad"]; !bad {
				outcome = f.bring(ctx, f.source.Key(item), item, p.Version)
			}
			if err := f.tally.Add(outcome); err != nil {
				return err
			}
		}
		return nil
	}, func(ctx context.Context, _ int, c operate.Cursor) error { return f.save(ctx, c) }, progress)
	return f.tally.Backfilled(), err
}

func textOf(i operate.Item) string {
	text, _ := i["text"].(*types.AttributeValueMemberS)
	if text == nil {
		return ""
	}
	return text.Value
}

// newCopies returns a suite of a copier.
func newCopies(c careless) Suite {
	return Suite{New: func(t *testing.T) *World {
		cfg := servertest.DynamoDB(t)
		direct := dynamodb.NewFromConfig(cfg)
		for table, key := range map[string]string{"Orders": "Id", "Copy": "Id", "Cursors": "Name"} {
			servertest.CreateTable(t, direct, table, key)
		}
		new := func(client *http.Client) *copier {
			cfg := cfg.Copy()
			cfg.HTTPClient, cfg.Retryer = client, func() aws.Retryer { return aws.NopRetryer{} }
			calls := dynamodb.NewFromConfig(cfg)
			return &copier{careless: c, client: calls, source: &operate.Source{Client: calls, Table: "Orders", Limit: 3}, copy: &operate.Source{Client: calls, Table: "Copy"}}
		}
		key := func(n int) operate.Item {
			return operate.Item{"Id": &types.AttributeValueMemberS{Value: fmt.Sprint(n)}}
		}
		put := func(table string, n int, text string, more operate.Item) {
			item := key(n)
			item["text"] = &types.AttributeValueMemberS{Value: text}
			for name, value := range more {
				item[name] = value
			}
			if _, err := direct.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: item}); err != nil {
				t.Fatal(err)
			}
		}
		remove := func(table string, n int) {
			if _, err := direct.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &table, Key: key(n)}); err != nil {
				t.Fatal(err)
			}
		}
		scan := func(table string, each func(operate.Item)) {
			s := &operate.Source{Client: direct, Table: table}
			if err := s.Scan(t.Context(), 1, func(_ context.Context, p operate.Page) error {
				for _, i := range p.Items {
					each(i)
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
		at := func(made time.Time) operate.Item {
			return operate.Item{"Made": &types.AttributeValueMemberN{Value: strconv.FormatInt(made.UnixMicro(), 10)}}
		}
		return &World{
			Write:  func(n, version int) { put("Orders", n, fmt.Sprint("version ", version), nil) },
			Remove: func(n int) { remove("Orders", n) },
			Deliver: func(n int, made time.Time) {
				right := new(http.DefaultClient)
				right.careless = careless{}
				item, _, err := right.source.Get(t.Context(), key(n))
				if err == nil {
					err = right.bring(t.Context(), key(n), item, made)
				}
				if err != nil && consumer.OutcomeOf(err) != consumer.Stale {
					t.Fatal(err)
				}
			},
			Damages: []Damage{
				{What: operate.Missing, Do: func(n int) { remove("Copy", n) }},
				{What: operate.Different, Do: func(n int) { put("Copy", n, "damaged", at(long())) }},
				{What: operate.Extra, Do: func(n int) { put("Copy", n, "extra", at(long())) }, Undelivered: true},
			},
			Bad: map[string]func(){
				"bad": func() { put("Orders", 1000, "bad", operate.Item{"Bad": &types.AttributeValueMemberBOOL{Value: true}}) },
			},
			Wipe: func() {
				scan("Copy", func(i operate.Item) {
					n, _ := strconv.Atoi(i["Id"].(*types.AttributeValueMemberS).Value)
					remove("Copy", n)
				})
			},
			Held: func() map[string]string {
				held := map[string]string{}
				scan("Copy", func(i operate.Item) {
					if i["text"] != nil {
						held[i["Id"].(*types.AttributeValueMemberS).Value] = textOf(i)
					}
				})
				return held
			},
			Compare:  func(client *http.Client) operate.Comparison { return new(client) },
			Backfill: func(client *http.Client) operate.Backfill { return filler{new(client)} },
		}
	}}
}

// A copier that does all of it right passes.
func TestCopier(t *testing.T) { Run(t, newCopies(careless{})) }

// Each careless copier fails the check that is there for it. Fails if the suite lets one pass.
func TestCarelessCopiersAreCaught(t *testing.T) {
	for name, c := range map[string]struct {
		careless

		caught string // by this check
	}{
		"judges at the first look":               {careless{firstLook: true}, "arrives while it looks again"},
		"doesn't tell what changes":              {careless{namesNoState: true}, "changes all the time"},
		"takes an unread table for an empty one": {careless{deaf: true}, "comparison interrupted at every call"},
		"ends at a bad item":                     {careless{stopsAtABad: true}, "bad items are compared around"},
		"doesn't look for extra items":           {careless{leavesOut: true}, "damages are found"},
		"deletes unasked":                        {careless{deletes: true}, "deletes nothing unasked"},
		"repairs over what is newer":             {careless{overwrites: true}, "what is newer stays"},
		"fills over what is newer":               {careless{overwrites: true}, "a backfill overwrites nothing newer"},
		"loses the page where it was stopped":    {careless{losesPage: true}, "backfill interrupted at every call"},
	} {
		t.Run(name, func(t *testing.T) {
			suite := newCopies(c.careless)
			for _, check := range checksOf(suite.New(t)) {
				if check.name != c.caught {
					continue
				}
				if err := check.run(t.Context(), suite.New(t)); err == nil {
					t.Errorf("a copier that %s passes the check %q", name, check.name)
				} else {
					t.Logf("caught: %v", err)
				}
				return
			}
			t.Errorf("there is no check %q", c.caught)
		})
	}
}
