package simulator

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/shared/consumertest"
)

// putItem puts an application's item whole.
func putItem(ctx context.Context, client *dynamodb.Client, table string, key, item consumertest.Item) error {
	whole := item.AttributeValues()
	for name, v := range key.AttributeValues() {
		whole[name] = v
	}
	_, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: whole})
	return err
}

// updateItem sets attributes of an item and leaves the others as they are.
func updateItem(ctx context.Context, client *dynamodb.Client, table string, key, item consumertest.Item) error {
	in := &dynamodb.UpdateItemInput{
		TableName: &table, Key: key.AttributeValues(),
		ExpressionAttributeNames: map[string]string{}, ExpressionAttributeValues: map[string]types.AttributeValue{},
	}
	values := item.AttributeValues()
	var sets []string
	for i, name := range sortedKeys(values) {
		sets = append(sets, fmt.Sprintf("#a%d = :a%d", i, i))
		in.ExpressionAttributeNames[fmt.Sprintf("#a%d", i)] = name
		in.ExpressionAttributeValues[fmt.Sprintf(":a%d", i)] = values[name]
	}
	in.UpdateExpression = aws.String("SET " + strings.Join(sets, ", "))
	_, err := client.UpdateItem(ctx, in)
	return err
}

// keysOf returns the keys of the items of the suite's table that a call writes.
func (s *Regions) keysOf(request engineRequest) []map[string]types.AttributeValue {
	type write struct {
		TableName string
		Key, Item consumertest.Item
	}
	var asked struct {
		write
		TransactItems []map[string]write
		RequestItems  map[string][]map[string]write
	}
	var writes []write
	switch request.operation {
	case "PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem":
	default:
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(request.body))
	decoder.UseNumber()
	if err := decoder.Decode(&asked); err != nil {
		panic(fmt.Sprintf("simulator: the server took a call that is no JSON: %v", err))
	}
	writes = append(writes, asked.write)
	for _, item := range asked.TransactItems {
		for _, kind := range sortedKeys(item) {
			writes = append(writes, item[kind])
		}
	}
	for table, items := range asked.RequestItems {
		for _, item := range items {
			for _, kind := range sortedKeys(item) {
				w := item[kind]
				w.TableName = table
				writes = append(writes, w)
			}
		}
	}
	writes = slices.DeleteFunc(writes, func(w write) bool { return w.TableName != s.Table })
	var keys []map[string]types.AttributeValue
	for _, w := range writes {
		key := w.Key
		if key == nil {
			key = consumertest.Item{}
			for name := range s.Key(0) {
				key[name] = w.Item[name]
			}
		}
		keys = append(keys, keyOf(key).AttributeValues())
	}
	return keys
}

// keyOf returns the key attributes of a call as the stream writes them: it
// encodes binary values once more.
func keyOf(key consumertest.Item) consumertest.Item {
	encoded := consumertest.Item{}
	for name, v := range key {
		if once, ok := v["B"].(string); ok {
			v = consumertest.Value{"B": base64.StdEncoding.EncodeToString([]byte(once))}
		}
		encoded[name] = v
	}
	return encoded
}

// itemOf returns an item of the SDK as the stream writes it, nil for nil.
func itemOf(values map[string]types.AttributeValue) consumertest.Item {
	if values == nil {
		return nil
	}
	item := consumertest.Item{}
	for name, v := range values {
		item[name] = valueOf(v)
	}
	return item
}

func valueOf(v types.AttributeValue) consumertest.Value {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return consumertest.S(v.Value)
	case *types.AttributeValueMemberN:
		return consumertest.N(v.Value)
	case *types.AttributeValueMemberB:
		return consumertest.B(v.Value)
	case *types.AttributeValueMemberBOOL:
		return consumertest.Value{"BOOL": v.Value}
	case *types.AttributeValueMemberNULL:
		return consumertest.Value{"NULL": true}
	case *types.AttributeValueMemberSS:
		return consumertest.Value{"SS": slices.Sorted(slices.Values(v.Value))}
	case *types.AttributeValueMemberNS:
		return consumertest.Value{"NS": slices.Sorted(slices.Values(v.Value))}
	case *types.AttributeValueMemberBS:
		var members []any
		for _, b := range slices.SortedFunc(slices.Values(v.Value), bytes.Compare) {
			members = append(members, consumertest.B(b)["B"])
		}
		return consumertest.Value{"BS": members}
	case *types.AttributeValueMemberL:
		members := []consumertest.Value{}
		for _, member := range v.Value {
			members = append(members, valueOf(member))
		}
		return consumertest.Value{"L": members}
	case *types.AttributeValueMemberM:
		return consumertest.Value{"M": itemOf(v.Value)}
	}
	panic(fmt.Sprintf("simulator: no value for %T", v))
}
