package ops

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	smithytime "github.com/aws/smithy-go/time"

	"sluice/consumers/search"
	"sluice/consumers/search/internal/document"
	"sluice/consumers/search/internal/index"
	"sluice/shared/change"
)

// ReadMargin is how much older than the moment before it was read a scanned item
// counts. The clocks of this machine and of DynamoDB may differ by less than
// that, so a change that the scan didn't see is always newer.
const ReadMargin = 10 * time.Second

// Operator is a route's table and its index, as people's commands use them. It is safe
// for concurrent use.
type Operator struct {
	Route  *document.Route
	table  *dynamodb.Client
	client admin
	now    func() time.Time
	sleep  func(context.Context, time.Duration) error // until the context ends, at most
}

// Operators returns a Pair for each of the shipped routes. It makes no call. The error
// names every setting that is wrong.
func Operators(cfg aws.Config, s search.Settings) ([]*Operator, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	routes, err := s.Routes()
	if err != nil {
		return nil, err
	}
	var pairs []*Operator
	for _, route := range routes {
		p, err := newOperator(cfg, s.Connection, route, time.Now)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, p)
	}
	return pairs, nil
}

func newOperator(cfg aws.Config, s index.Connection, route *document.Route, now func() time.Time) (*Operator, error) {
	client, err := index.NewClient(cfg, s)
	if err != nil {
		return nil, err
	}
	return &Operator{Route: route, table: dynamodb.NewFromConfig(cfg), client: admin{client}, now: now, sleep: smithytime.SleepWithContext}, nil
}

// source is the pair's table as it is scanned.
type source struct {
	*Operator
	keys  []string                             // names of the key attributes, sorted
	types map[string]types.ScalarAttributeType // of the key attributes, by name
	Items int64                                // about how many there are, as DynamoDB counted them in the last hours
}

// Items returns about how many items the table has, as DynamoDB counted them in the
// last hours.
func (p *Operator) Items(ctx context.Context) (int64, error) {
	s, err := p.source(ctx)
	if err != nil {
		return 0, err
	}
	return s.Items, nil
}

// source looks at the table's keys.
func (p *Operator) source(ctx context.Context) (*source, error) {
	out, err := p.table.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &p.Route.Source})
	if err != nil {
		return nil, fmt.Errorf("look at the keys of table %s: %w", p.Route.Source, err)
	}
	s := &source{Operator: p, Items: aws.ToInt64(out.Table.ItemCount), types: map[string]types.ScalarAttributeType{}}
	for _, k := range out.Table.KeySchema {
		s.keys = append(s.keys, aws.ToString(k.AttributeName))
	}
	slices.Sort(s.keys)
	for _, a := range out.Table.AttributeDefinitions {
		s.types[aws.ToString(a.AttributeName)] = a.AttributeType
	}
	return s, nil
}

// keyOf returns the key of the item that a document is of, by its id or, if that is a
// hash, by the fields that hold the key.
func (s *source) keyOf(id string, source map[string]any) (map[string]types.AttributeValue, error) {
	texts, err := document.KeysOfID(id)
	if _, hash := errors.AsType[*document.HashedIDError](err); hash {
		texts = nil
		for _, name := range s.keys {
			field, there := source[s.Route.Field(name)]
			if kept, asideErr := asideOf(source); asideErr == nil {
				if v, ok := kept.attributes[name]; ok {
					field, there = v, true
				} else if v, ok := kept.values[s.Route.Field(name)]; ok {
					field, there = v, true
				}
			}
			if !there {
				return nil, err
			}
			text := fmt.Sprint(field)
			if s.types[name] == types.ScalarAttributeTypeB {
				b, err := base64.StdEncoding.DecodeString(text)
				if err != nil {
					return nil, fmt.Errorf("field %s is no binary key: %w", s.Route.Field(name), err)
				}
				text = string(b)
			}
			texts = append(texts, text)
		}
	} else if err != nil {
		return nil, err
	}
	if len(texts) != len(s.keys) {
		return nil, fmt.Errorf("its id has %d key values; table %s has %d", len(texts), s.Route.Source, len(s.keys))
	}
	key := map[string]types.AttributeValue{}
	for i, name := range s.keys {
		switch s.types[name] {
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

// page reads the items of a segment behind a key, strongly consistent, each as the
// change that it stands for. It returns where the next page begins, nil if there is
// none, and faults, one for each item that can't be read as a change.
func (s *source) page(ctx context.Context, segment, segments int, from map[string]types.AttributeValue) (changes []*change.Change, faults []error, next map[string]types.AttributeValue, err error) {
	sent := s.now()
	ctx, cancel := index.CallContext(ctx)
	defer cancel()
	out, err := s.table.Scan(ctx, &dynamodb.ScanInput{
		TableName: &s.Route.Source, ConsistentRead: aws.Bool(true), ExclusiveStartKey: from,
		Segment: aws.Int32(int32(segment)), TotalSegments: aws.Int32(int32(segments)),
	})
	if err != nil {
		return nil, nil, nil, index.CallError(ctx, fmt.Errorf("read %s: %w", s.Route.Source, err))
	}
	for _, item := range out.Items {
		c, err := s.read(item, sent)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		changes = append(changes, c)
	}
	return changes, faults, out.LastEvaluatedKey, nil
}

// read returns the change that an item stands for that a request sent at a moment
// found. Any change within the margin before it is newer, too, and brings the item
// as it is.
func (s *source) read(item map[string]types.AttributeValue, sent time.Time) (*change.Change, error) {
	c, err := change.FromItem(s.Route.Source, s.keys, item, sent.Add(-ReadMargin))
	if err != nil {
		return nil, fmt.Errorf("read item %s of %s: %w", s.keyText(item), s.Route.Source, err)
	}
	return c, nil
}

// documents returns the writing of those items that the route takes, and why it can't take others.
func (p *Operator) documents(items []*change.Change) (operations []*index.Operation, refused []error) {
	for _, c := range items {
		if p.Route.Effect(c) != document.Put {
			continue
		}
		if err := p.Route.Refuse(c); err != nil {
			refused = append(refused, fmt.Errorf("item %s of %s: %w", document.ID(c.Keys), p.Route.Source, err))
			continue
		}
		operations = append(operations, &index.Operation{Route: p.Route, ID: document.ID(c.Keys), Version: document.ScannedVersion(c), Document: p.Route.AppendDocument(nil, c, p.now())})
	}
	return operations, refused
}

// keyText returns an item's key for errors.
func (s *source) keyText(item map[string]types.AttributeValue) string {
	var parts []string
	for _, name := range s.keys {
		switch v := item[name].(type) {
		case *types.AttributeValueMemberS:
			parts = append(parts, fmt.Sprintf("%s=%q", name, v.Value))
		case *types.AttributeValueMemberN:
			parts = append(parts, fmt.Sprintf("%s=%s", name, v.Value))
		case *types.AttributeValueMemberB:
			parts = append(parts, fmt.Sprintf("%s=%x", name, v.Value))
		}
	}
	return strings.Join(parts, ", ")
}
