package ops

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	smithytime "github.com/aws/smithy-go/time"

	"sluice/consumers/search"
	"sluice/consumers/search/internal/document"
	"sluice/consumers/search/internal/index"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/declaration"
	"sluice/shared/operate"
)

// Operator operates one route: it compares the route's index with its table, repairs, fills and rebuilds the index. One
// method may run at a time.
type Operator struct {
	Route  *document.Route
	source *operate.Source
	client admin
	now    func() time.Time
	sleep  func(context.Context, time.Duration) error // until the context ends, at most
}

// Operators returns an Operator for each of the declared routes. It makes no call. The error names every setting that is
// wrong.
func Operators(cfg aws.Config, d declaration.Declarations, s search.Settings) ([]*Operator, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	routes, err := search.Routes(d)
	if err != nil {
		return nil, err
	}
	var all []*Operator
	for _, route := range routes {
		p, err := newOperator(cfg, s.Connection, route, time.Now)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

func newOperator(cfg aws.Config, s index.Connection, route *document.Route, now func() time.Time) (*Operator, error) {
	client, err := index.NewClient(cfg, s)
	if err != nil {
		return nil, err
	}
	source := &operate.Source{Client: dynamodb.NewFromConfig(cfg), Table: route.Source, Now: now}
	return &Operator{Route: route, source: source, client: admin{client}, now: now, sleep: smithytime.SleepWithContext}, nil
}

// Title names the route's table and index.
func (p *Operator) Title() operate.Title {
	return operate.Title{Name: p.Route.Name, Source: "table " + p.Route.Source, Destination: "index " + p.Route.Index}
}

// keyOf returns the key of the item that a document is made of: by the document's id or, if that is a hash, by the fields
// that have the key.
func (p *Operator) keyOf(id string, source map[string]any) (operate.Item, error) {
	names := slices.Sorted(slices.Values(p.source.Keys)) // as ids have them
	texts, err := document.KeysOfID(id)
	if _, hash := errors.AsType[*document.HashedIDError](err); hash {
		texts = nil
		for _, name := range names {
			text, err := p.keyText(name, source, err)
			if err != nil {
				return nil, err
			}
			texts = append(texts, text)
		}
	} else if err != nil {
		return nil, err
	}
	if len(texts) != len(names) {
		return nil, fmt.Errorf("its id has %d key values; table %s has %d", len(texts), p.Route.Source, len(names))
	}
	key := operate.Item{}
	for i, name := range names {
		switch p.source.Types[name] {
		case types.ScalarAttributeTypeN:
			key[name] = &types.AttributeValueMemberN{Value: texts[i]}
		case types.ScalarAttributeTypeB:
			key[name] = &types.AttributeValueMemberB{Value: []byte(texts[i])}
		default:
			key[name] = &types.AttributeValueMemberS{Value: texts[i]}
		}
	}
	return key, nil
}

// keyText returns the text of a key value that a document's fields have; missing is the error if they don't.
func (p *Operator) keyText(name string, source map[string]any, missing error) (string, error) {
	value, there := source[p.Route.Field(name)]
	if kept, err := asideOf(source); err == nil {
		if v, ok := kept.attributes[name]; ok {
			value, there = v, true
		} else if v, ok := kept.values[p.Route.Field(name)]; ok {
			value, there = v, true
		}
	}
	if !there {
		return "", missing
	}
	text := fmt.Sprint(value)
	if p.source.Types[name] != types.ScalarAttributeTypeB {
		return text, nil
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return "", fmt.Errorf("field %s is no binary key: %w", p.Route.Field(name), err)
	}
	return string(b), nil
}

// change returns the change that an item of a page, or one that was read alone, counts as.
func (p *Operator) change(item operate.Item, version time.Time) (*change.Change, error) {
	return change.FromItem(p.Route.Source, p.source.Keys, item, version)
}

// operations returns the writes of a page's items that the route takes, and why others can't be written: rejections.
func (p *Operator) operations(page operate.Page) (operations []*index.Operation, rejected []error) {
	for _, item := range page.Items {
		c, err := p.change(item, page.Version)
		if err != nil {
			rejected = append(rejected, consumer.Reject(fmt.Errorf("read item %s of %s: %w", p.source.KeyText(item), p.Route.Source, err)))
			continue
		}
		if p.Route.Effect(c) != declaration.Put {
			continue
		}
		if err := p.Route.Refuse(c); err != nil {
			rejected = append(rejected, fmt.Errorf("item %s of %s: %w", document.ID(c.Keys), p.Route.Source, err))
			continue
		}
		operations = append(operations, p.operation(c))
	}
	return operations, rejected
}

// operation returns the write of an item that was read.
func (p *Operator) operation(c *change.Change) *index.Operation {
	return &index.Operation{Route: p.Route, ID: document.ID(c.Keys), Version: document.ScannedVersion(c), Document: p.Route.AppendDocument(nil, c, p.now())}
}
