package ranked

import (
	"context"
	"encoding/binary"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/consumers/replication/internal/store"
	"sluice/consumers/replication/mark"
)

// Attributes of a tombstone of ranked items, instead of a mark.
const (
	tombstoneRank    = "Rank"    // the value of the attribute that ranks the items: those up to it are removed
	tombstoneVersion = "Version" // which version was removed
)

// buryRank writes the tombstone of a change that removed an item unless there is one
// as great, whose rank it returns.
func buryRank(ctx context.Context, t *store.Table, e *Change) (Rank, error) {
	c := store.Condition{
		Text:   "attribute_not_exists(#rank) OR #rank < :rank",
		Names:  map[string]string{"#rank": tombstoneRank},
		Values: store.Item{":rank": e.Rank.value()},
	}
	if e.Rank.kind == stringRank { // above every number
		c.Text += " OR attribute_type(#rank, :number)"
		c.Values[":number"] = &types.AttributeValueMemberS{Value: "N"}
	}
	there, refused, err := t.PutTombstone(ctx, e.key, e.created, store.Item{tombstoneRank: e.Rank.value(), tombstoneVersion: e.Rank.version()}, c)
	if err != nil || !refused {
		return Rank{}, err
	}
	return rankBuried(t, there)
}

// buriedRank returns the rank of the item's tombstone, the zero Rank if there is none.
func buriedRank(ctx context.Context, t *store.Table, key store.Item) (Rank, error) {
	tombstone, err := t.Tombstone(ctx, key)
	if err != nil {
		return Rank{}, err
	}
	if _, ok := tombstone[tombstoneRank]; !ok { // none, or one that counts by another rule
		return Rank{}, nil
	}
	return rankBuried(t, tombstone)
}

func rankBuried(t *store.Table, tombstone store.Item) (Rank, error) {
	r, err := rankOf(tombstone, tombstoneRank)
	version, ok := tombstone[tombstoneVersion].(*types.AttributeValueMemberB)
	if err != nil || !ok || len(version.Value) != 8 {
		return Rank{}, t.TombstoneFault(tombstoneRank+", "+tombstoneVersion, mark.ErrForeign)
	}
	r.removed, r.hash = true, binary.BigEndian.Uint64(version.Value)
	return r, nil
}
