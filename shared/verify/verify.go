package verify

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/shopspring/decimal"

	"sluice/shared/change"
	"sluice/shared/operate"
	"sluice/shared/view"
)

// Comparison compares views of one file with their sources.
type Comparison struct {
	Client *dynamodb.Client
	Views  []*view.View
	// Horizon is the consumer's setting.
	Horizon time.Duration
	// Segments is in how many parts each table is read side by side.
	Segments int
	// Most is how long the comparison may look again. Boxes that close meanwhile would take no change from then on, so they are
	// not compared.
	Most time.Duration
	// Now is this machine's clock.
	Now func() time.Time

	closes time.Time // of the last boxes that are compared
	first  *look
}

var _ operate.Comparison = (*Comparison)(nil)

// New returns a Comparison by this machine's clock.
func New(client *dynamodb.Client, views []*view.View, horizon time.Duration, o operate.Options) *Comparison {
	return &Comparison{Client: client, Views: views, Horizon: horizon, Segments: o.Segments, Most: o.Most, Now: time.Now}
}

// Title implements operate.Comparison.
func (c *Comparison) Title() operate.Title {
	return operate.Title{Name: "views", Source: "the views' sources", Destination: operate.Count(len(c.Views), "view")}
}

// cell is one sum of one item of a view.
type cell struct{ view, key, sum string }

func (c cell) compare(o cell) int {
	return cmp.Or(cmp.Compare(c.view, o.view), cmp.Compare(c.key, o.key), cmp.Compare(c.sum, o.sum))
}

// standing is how a view's item was at a look.
type standing struct {
	cell

	stored decimal.Decimal
	taken  string // the changes that the item has taken, see aggregate.Taken
}

// Look implements operate.Comparison.
func (c *Comparison) Look(ctx context.Context, suspects []operate.Difference) (operate.Look, error) {
	var only map[cell]standing
	if len(suspects) == 0 {
		c.first, c.closes = nil, c.Now().Add(c.Most)
	} else {
		only = map[cell]standing{}
		for _, d := range suspects {
			s := d.Ref.(standing)
			only[s.cell] = s
		}
	}
	l, err := c.look(ctx, only)
	if err != nil {
		return operate.Look{}, err
	}
	if c.first == nil {
		c.first = l
	}
	found := c.first.summary()
	for _, sum := range slices.SortedFunc(maps.Keys(l.cells()), cell.compare) {
		if !l.source[sum].Equal(l.stored[sum]) {
			found.Differences = append(found.Differences, l.difference(sum))
		}
	}
	return found, nil
}

// difference says what is wrong with a sum, and what helps: a rebuild, unless DynamoDB can't hold what the source's items add up to.
func (l *look) difference(sum cell) operate.Difference {
	source, stored := l.source[sum], l.stored[sum]
	now := standing{cell: sum, stored: stored, taken: l.taken[cell{sum.view, sum.key, ""}]}
	d := operate.Difference{
		Key: fmt.Sprintf("view %s, %s, %s", sum.view, sum.key, sum.sum), What: operate.Different, Ref: now,
		Values:  []operate.Value{{Path: sum.sum, Source: source.String(), Destination: stored.String()}},
		Command: "sluice rebuild " + sum.view,
	}
	if before, again := l.only[sum]; again {
		d.Moving = before.taken != now.taken || !before.stored.Equal(stored)
	}
	if !change.IsNumber(source.String()) {
		d.Command, d.Refused = "", "the sum takes more than DynamoDB holds (38 digits, up to 9.9E+125), so no rebuild helps"
	}
	return d
}
