package meter

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/deploy/local/servers/servertest"
)

func TestMain(m *testing.M) { servertest.Main(m) }

// A transaction costs two units an item. Fails if the units are DynamoDB Local's, which
// says 4 for the table, whatever the number of items.
func TestTransactions(t *testing.T) {
	cfg := servertest.DynamoDB(t)
	m := &Meter{}
	cfg.APIOptions = append(cfg.APIOptions, m.Install)
	client := dynamodb.NewFromConfig(cfg)
	servertest.CreateTable(t, client, "items", "Id")
	for _, puts := range []int{1, 2, 65} {
		var items []types.TransactWriteItem
		for n := range puts {
			id := &types.AttributeValueMemberS{Value: fmt.Sprint(puts, "-", n)}
			items = append(items, types.TransactWriteItem{Put: &types.Put{
				TableName: aws.String("items"), Item: map[string]types.AttributeValue{"Id": id},
				ConditionExpression: aws.String("attribute_not_exists(Id)"),
			}})
		}
		m.Take()
		for _, refused := range []bool{false, true} {
			_, err := client.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: items})
			if (err != nil) != refused {
				t.Fatal(err)
			}
			if got, want := m.Take(), (Usage{WriteUnits: float64(2 * puts), Calls: 1}); got != want {
				t.Errorf("a transaction of %d puts, refused %v, costs %+v, want %+v", puts, refused, got, want)
			}
		}
	}
}
