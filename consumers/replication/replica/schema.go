package replica

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sluice/shared/change"
)

// keys are a table's key attributes with their types.
type keys map[string]string

func (k keys) String() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(k)) {
		parts = append(parts, name+" ("+k[name]+")")
	}
	return strings.Join(parts, ", ")
}

// Check asks whether the table and that of its tombstones are there and have the
// right keys: those of the source table's changes, which are given. What is wrong
// is no rejection: once the tables are right, the changes can be written.
func (t *Table) Check(ctx context.Context, source string, of change.Image) error {
	want := keys{}
	for name, v := range of.All() {
		want[name] = v.Type().String()
	}
	if err := t.checkTable(ctx, t.Name, "table "+source, want); err != nil {
		return err
	}
	return t.checkTable(ctx, t.Tombstones, "a table of tombstones", keys{TombstoneKey: "B"})
}

func (t *Table) checkTable(ctx context.Context, table, as string, want keys) error {
	out, err := t.Client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table})
	if err != nil {
		return fmt.Errorf("look at the keys, which must be those of %s, %v: %w", as, want, t.failed(err, "dynamodb:DescribeTable", table))
	}
	types := keys{}
	for _, a := range out.Table.AttributeDefinitions {
		types[aws.ToString(a.AttributeName)] = string(a.AttributeType)
	}
	got := keys{}
	for _, k := range out.Table.KeySchema {
		got[aws.ToString(k.AttributeName)] = types[aws.ToString(k.AttributeName)]
	}
	if !maps.Equal(got, want) {
		return fmt.Errorf("table %s (%s) has the keys %v, but %s has %v: make it anew with these", table, t.Region, got, as, want)
	}
	return nil
}
