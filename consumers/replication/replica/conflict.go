package replica

import (
	"context"
	"maps"
	"strconv"
	"strings"
	"sync/atomic"
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
	ConflictKeys = "Key" // the item's key attributes
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

// counts are what a Peers has seen.
type counts struct {
	// ConflictsLost counts the rows that are new in the conflict log.
	ConflictsLost atomic.Int64
}

// lost keeps a version of an item that loses, unless the winner was made in
// knowledge of it. The winner's history is given.
func (p *Peers) lost(ctx context.Context, key Item, loser mark.Mark, version Item, winner History) error {
	if loser == "" || winner.Has(loser) {
		return nil // without a mark, its own change comes and tells
	}
	return p.note(ctx, key, loser, version)
}

// KeepUnseen keeps the version of a home edit over which another region's was copied, if the writer of that didn't have it before
// him. copied is the echo that follows the edit. Call it for an edit that won't be applied by itself: what an application wrote after
// the echo has the edit in its History, since that has one time for a region, and so hides that nobody had seen it.
func (p *Peers) KeepUnseen(ctx context.Context, e, copied *Edit) error {
	if e.Echo() || !copied.Echo() || copied.after.Mark <= e.Mark {
		return nil
	}
	return p.lost(ctx, e.Key, e.Mark, e.Item, copied.after.History)
}

// note puts a version that lost into the log of the region in which it was
// written. It is there once, whoever finds it lost, and how often.
func (p *Peers) note(ctx context.Context, key Item, loser mark.Mark, version Item) error {
	if version == nil {
		return nil // a remove: there is nothing to keep
	}
	written := time.UnixMicro(loser.Created()).UTC()
	return p.keep(ctx, p.peer(loser.Region()), key, version, lostVersion{name: loser.Value(), at: written, says: ConflictTime})
}

// lostVersion is what a row of the conflict log says of a version, beside its item.
type lostVersion struct {
	name types.AttributeValue // of the version, among those of its item
	at   time.Time
	says string // the attribute that at stands in
}

// keep puts a version that lost into the log of a table's region, unless it is there.
func (p *Peers) keep(ctx context.Context, t *Table, key, version Item, l lostVersion) error {
	row, err := t.tombstoneKey(key)
	if err != nil {
		return err
	}
	row[ConflictMark] = l.name
	row[ConflictKeys] = &types.AttributeValueMemberM{Value: key}
	for name, v := range version {
		if name != mark.Attribute {
			row[ConflictVersion+name] = v
		}
	}
	row[l.says] = &types.AttributeValueMemberS{Value: l.at.Format(time.RFC3339Nano)}
	row[conflictExpiry] = &types.AttributeValueMemberN{Value: strconv.FormatInt(l.at.Add(t.Horizon+expirySlack).Unix(), 10)}
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
