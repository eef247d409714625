package replication

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/consumers/replication/internal/store"
)

// keyText writes a key for people: "Timestamp 2026-01-02, UserId ann".
func keyText(key store.Item) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(key)) {
		text := "?"
		switch v := key[name].(type) {
		case *types.AttributeValueMemberS:
			text = v.Value
		case *types.AttributeValueMemberN:
			text = v.Value
		case *types.AttributeValueMemberB:
			text = fmt.Sprintf("%x", v.Value)
		}
		parts = append(parts, name+" "+text)
	}
	return strings.Join(parts, ", ")
}
