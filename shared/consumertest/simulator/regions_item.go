package simulator

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/shared/consumertest"
)

// write makes an application's write: it puts an item whole, sets some attributes and leaves the others, or removes the item.
func (a act) write(client *dynamodb.Client, table string, key, item consumertest.Item) (err error) {
	ctx, keys, values := context.Background(), key.AttributeValues(), item.AttributeValues()
	switch a.kind {
	case putWhole:
		maps.Copy(values, keys)
		_, err = client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: values})
	case update:
		set := map[string]types.AttributeValueUpdate{}
		for name, value := range values {
			set[name] = types.AttributeValueUpdate{Value: value}
		}
		_, err = client.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: &table, Key: keys, AttributeUpdates: set})
	default:
		_, err = client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &table, Key: keys})
	}
	return err
}

// mayWrite reports whether a call may write items of the suite's table.
func (s *Regions) mayWrite(request engineRequest) bool {
	writes := []string{"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"}
	return slices.Contains(writes, request.operation) && bytes.Contains(request.body, []byte(strconv.Quote(s.Table)))
}

// keysOf returns an item's key attributes.
func (s *Regions) keysOf(item consumertest.Item) consumertest.Item {
	keys := consumertest.Item{}
	for name := range s.Key(0) {
		keys[name] = item[name]
	}
	return keys
}

// itemOf returns an item of the SDK as the stream writes it.
func itemOf(values map[string]types.AttributeValue) consumertest.Item {
	var item consumertest.Item
	text, err := attributevalue.MarshalMapJSON(values)
	if err == nil {
		err = json.Unmarshal(text, &item)
	}
	if err != nil {
		panic(fmt.Sprintf("simulator: %v is no item: %v", values, err))
	}
	for _, value := range item {
		asStreamed(value)
	}
	return item
}

// asStreamed encodes binary values in base64 once more, as the stream does, and sorts sets, which have no order.
func asStreamed(value map[string]any) {
	encoded := func(once string) string { return base64.StdEncoding.EncodeToString([]byte(once)) }
	for kind, content := range value {
		switch content := content.(type) {
		case string:
			if kind == "B" {
				value[kind] = encoded(content)
			}
		case map[string]any: // of an M, or a value in one
			asStreamed(content)
		case []any:
			for i, member := range content {
				if inner, ok := member.(map[string]any); ok {
					asStreamed(inner)
				} else if kind == "BS" {
					content[i] = encoded(member.(string))
				}
			}
			if kind != "L" {
				slices.SortFunc(content, func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
			}
		}
	}
}
