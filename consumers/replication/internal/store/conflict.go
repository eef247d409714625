package store

import (
	"context"
	"maps"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/consumers/replication/mark"
	"sluice/shared/consumer"
)

// The attributes of a row of the conflict log. Item, as in a tombstone, and Mark
// are its key.
const (
	ConflictKey  = TombstoneKey
	ConflictMark = "Mark"
	conflictKeys = "Key" // the item's key attributes
	ConflictTime = "WrittenAt"
	// ConflictBeaten is there instead of ConflictTime where an attribute ranks the
	// versions: when the change was made that the version lost to. ConflictMark is a
	// hash of the version then.
	ConflictBeaten = "BeatenAt"
	conflictExpiry = TombstoneExpiry
	// ConflictVersion is put before the names of the item's attributes, but for
	// mark.Attribute. They stand in the row itself, since an item may be nested as
	// deep as a row. They are missing from an item that is too large for a row.
	ConflictVersion = "Version."
)

// Lost is what a row of the conflict log says of a version that lost, beside its item.
type Lost struct {
	Name types.AttributeValue // of the version, among those of its item
	At   time.Time
	Says string // the attribute that At stands in: ConflictTime or ConflictBeaten
}

// KeepLost puts a version that lost into the log of a table's region, unless it is there.
func (p *Peers) KeepLost(ctx context.Context, t *Table, key, version Item, l Lost) error {
	row, err := t.tombstoneKey(key)
	if err != nil {
		return err
	}
	row[ConflictMark] = l.Name
	row[conflictKeys] = &types.AttributeValueMemberM{Value: key}
	for name, v := range version {
		if name != mark.Attribute {
			row[ConflictVersion+name] = v
		}
	}
	row[l.Says] = &types.AttributeValueMemberS{Value: l.At.Format(time.RFC3339Nano)}
	row[conflictExpiry] = t.expiry(l.At)
	put := func() error {
		_, err := t.Client.PutItem(ctx, &dynamodb.PutItemInput{
			TableName:                &p.Conflicts,
			Item:                     row,
			ConditionExpression:      aws.String("attribute_not_exists(#mark)"),
			ExpressionAttributeNames: map[string]string{"#mark": ConflictMark},
		})
		return err
	}
	if err = put(); consumer.Refused(err) { // too large with the row's own attributes
		maps.DeleteFunc(row, func(name string, _ types.AttributeValue) bool { return strings.HasPrefix(name, ConflictVersion) })
		err = put()
	}
	if _, refused := refusal(err); refused {
		return nil
	}
	if err != nil {
		return t.failed(err, "dynamodb:PutItem", p.Conflicts)
	}
	p.ConflictsLost.Add(1)
	return nil
}
