package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sluice/shared/change"
	"sluice/shared/consumer"
)

// Keys are a table's key attributes with their types.
type Keys map[string]string

func (k Keys) String() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(k)) {
		parts = append(parts, name+" ("+k[name]+")")
	}
	return strings.Join(parts, ", ")
}

func keysOf(image change.Image) Keys {
	k := Keys{}
	for name, v := range image.All() {
		k[name] = v.Type().String()
	}
	return k
}

// fit reports whether a change's keys are these, by name and type.
func (k Keys) fit(of change.Image) bool {
	n := 0
	for name, v := range of.All() {
		if k[name] != v.Type().String() {
			return false
		}
		n++
	}
	return n == len(k)
}

// Reject returns nil for a change whose keys fit, and else the error that rejects it. That one change's keys differ says nothing
// of its neighbours.
func (k Keys) Reject(source string, of change.Image) error {
	if k.fit(of) {
		return nil
	}
	return consumer.Reject(fmt.Errorf("%w: they are %v, but those of table %s are %v", ErrOddKeys, keysOf(of), source, k))
}

// Check asks whether the table and that of its tombstones are there, and whether the table has the keys of at least one of the
// source table's changes. It returns the table's keys. What is wrong is no rejection: once the tables are right, the changes can be
// written.
func (t *Table) Check(ctx context.Context, source string, of []change.Image) (Keys, error) {
	want := keysOf(of[0])
	got, err := t.keys(ctx, t.Name)
	if err != nil {
		return nil, fmt.Errorf("look at the keys, which must be those of table %s, %v: %w", source, want, err)
	}
	if !slices.ContainsFunc(of, got.fit) {
		return nil, t.otherKeys(t.Name, "table "+source, got, want)
	}
	return got, t.checkTombstones(ctx)
}

func (t *Table) checkTombstones(ctx context.Context) error {
	return t.checkTable(ctx, t.Tombstones, "a table of tombstones", Keys{TombstoneKey: "B"})
}

func (t *Table) checkTable(ctx context.Context, table, as string, want Keys) error {
	got, err := t.keys(ctx, table)
	if err != nil {
		return fmt.Errorf("look at the keys, which must be those of %s, %v: %w", as, want, err)
	}
	if !maps.Equal(got, want) {
		return t.otherKeys(table, as, got, want)
	}
	return nil
}

// keys asks for the keys of one of the region's tables.
func (t *Table) keys(ctx context.Context, table string) (Keys, error) {
	out, err := t.Client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table})
	if err != nil {
		return nil, t.failed(err, "dynamodb:DescribeTable", table)
	}
	types := Keys{}
	for _, a := range out.Table.AttributeDefinitions {
		types[aws.ToString(a.AttributeName)] = string(a.AttributeType)
	}
	got := Keys{}
	for _, k := range out.Table.KeySchema {
		got[aws.ToString(k.AttributeName)] = types[aws.ToString(k.AttributeName)]
	}
	return got, nil
}

func (t *Table) otherKeys(table, as string, got, want Keys) error {
	return fmt.Errorf("table %s (%s) has the keys %v, but %s has %v: make it anew with these", table, t.Region, got, as, want)
}
