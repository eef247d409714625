package aggregate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/shared/change"
	"sluice/shared/consumer"
)

// Attributes of the items that hold sums, beside the sum itself.
const (
	attrIDs       = "ChangeIds" // also in ledger buckets
	attrSpillTime = "SpillTime"
)

// Attributes of the ledger's rows. A row is a bucket of ids that one spill
// moved, named by the newest time among them, or the mark of one late change.
const (
	attrGroup     = "Group"
	attrEntry     = "Entry"
	attrExpiresAt = "ExpiresAt" // seconds

	bucketPrefix = "bucket#"
	latePrefix   = "late#"
)

// expirySlack keeps ledger rows a while longer than the horizon, by which Add
// stops asking for them, so that clocks may differ.
const expirySlack = 24 * time.Hour

// bucketEntry names a bucket so that buckets sort by time.
func bucketEntry(cut int64) string { return fmt.Sprintf(bucketPrefix+"%020d", cut) }

func lateEntry(id change.ID) string { return latePrefix + hex.EncodeToString(id[:]) }

// ledgerRow is a row that is needed until a change of time µs reaches the horizon.
func (t *Table) ledgerRow(group, entry string, µs int64) map[string]types.AttributeValue {
	expires := time.UnixMicro(µs).Add(t.Horizon + expirySlack)
	return map[string]types.AttributeValue{
		attrGroup:     &types.AttributeValueMemberS{Value: group},
		attrEntry:     &types.AttributeValueMemberS{Value: entry},
		attrExpiresAt: number64(expires.Unix()),
	}
}

// putNewRow writes a ledger row if there is none of that name.
func (t *Table) putNewRow(row map[string]types.AttributeValue) types.TransactWriteItem {
	return types.TransactWriteItem{Put: &types.Put{
		TableName:                &t.Ledger,
		Item:                     row,
		ConditionExpression:      aws.String("attribute_not_exists(#entry)"),
		ExpressionAttributeNames: map[string]string{"#entry": attrEntry},
	}}
}

// ReadLedger returns all rows of a ledger's group, strongly consistent.
func ReadLedger(ctx context.Context, client *dynamodb.Client, ledger, group string) (rows []map[string]types.AttributeValue, err error) {
	pages := dynamodb.NewQueryPaginator(client, &dynamodb.QueryInput{
		TableName:                 &ledger,
		ConsistentRead:            aws.Bool(true),
		KeyConditionExpression:    aws.String("#group = :group"),
		ExpressionAttributeNames:  map[string]string{"#group": attrGroup},
		ExpressionAttributeValues: map[string]types.AttributeValue{":group": &types.AttributeValueMemberS{Value: group}},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		rows = append(rows, page.Items...)
	}
	return rows, nil
}

// spilledIDs returns which of the late changes are in the group's buckets.
// Buckets are disjoint in time, so only the first one not older than a change
// can hold it; one look-up serves all changes that fall into the same bucket.
func (t *Table) spilledIDs(ctx context.Context, group string, late []pendingAmount) (map[change.ID]bool, error) {
	found := map[change.ID]bool{}
	var newest int64 // the current bucket covers changes up to here
	var bucket state
	for _, p := range late { // oldest first
		if p.ID.Time() > newest {
			var err error
			if newest, bucket, err = t.bucketFor(ctx, group, p.ID.Time()); err != nil {
				return nil, err
			}
		}
		if bucket.has(p.ID) {
			found[p.ID] = true
		}
	}
	return found, nil
}

// bucketFor returns the first bucket that isn't older than µs and its time. If
// there is none, which is so once it has expired, it is empty and covers µs alone.
func (t *Table) bucketFor(ctx context.Context, group string, µs int64) (int64, state, error) {
	out, err := t.Client.Query(ctx, &dynamodb.QueryInput{
		TableName:                &t.Ledger,
		ConsistentRead:           aws.Bool(true),
		Limit:                    aws.Int32(1),
		KeyConditionExpression:   aws.String("#group = :group AND #entry BETWEEN :from AND :to"),
		ExpressionAttributeNames: map[string]string{"#group": attrGroup, "#entry": attrEntry},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":group": &types.AttributeValueMemberS{Value: group},
			":from":  &types.AttributeValueMemberS{Value: bucketEntry(µs)},
			":to":    &types.AttributeValueMemberS{Value: bucketEntry(1<<63 - 1)},
		},
	})
	if err != nil {
		return 0, state{}, fmt.Errorf("look up spilled changes of %q: %w", group, err)
	}
	if len(out.Items) == 0 {
		return µs, state{}, nil
	}
	entry, _ := out.Items[0][attrEntry].(*types.AttributeValueMemberS)
	if entry == nil {
		return 0, state{}, consumer.Reject(fmt.Errorf("ledger %s: a row of group %q has no %s", t.Ledger, group, attrEntry))
	}
	newest, err := strconv.ParseInt(strings.TrimPrefix(entry.Value, bucketPrefix), 10, 64)
	if err != nil {
		return 0, state{}, consumer.Reject(fmt.Errorf("ledger %s: group %q has an entry %q, which is no bucket and which somebody else has written; delete it, then redrive: %w", t.Ledger, group, entry.Value, err))
	}
	return newest, readState(out.Items[0]), nil
}

// Taken returns a text that becomes another one whenever the item takes a change.
func Taken(item map[string]types.AttributeValue) string {
	s := readState(item)
	hash := sha256.New()
	for _, id := range s.ids {
		hash.Write(id) // never fails
	}
	return fmt.Sprintf("%d %x", s.spillTime, hash.Sum(nil))
}
