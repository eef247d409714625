package deploy_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumertest/proof"
)

// adopted are the blocks of docs/adopt.md that declare something.
var adopted = regexp.MustCompile("(?ms)^```(?:yaml|json) (pipeline/\\S+)\n(.*?)^```")

const existingOrders = 1000

// TestAdoptOnAWS deploys the pipeline of docs/adopt.md with the real SAM CLI and a prefix, for a table with 1,000 orders that is there
// before, attaches it, and brings in what it holds. Then a second pipeline is made beside the first one. Fails if a destination isn't
// what the orders say, or if the two share a name.
func TestAdoptOnAWS(t *testing.T) {
	proof.OnlyWhole(t, "it builds every function, and deploys two pipelines; TestAdopt of cli does the rest of the page")
	t.Parallel()
	c := newCloud(t)
	c.root = adopt(t)
	search := *servertest.OpenSearch(t).BaseEndpoint
	orders := dynamodb.NewFromConfig(c.config)
	servertest.CreateTable(t, orders, "Orders", "CustomerId", "OrderId")
	revenue := fillOrders(t, orders)
	sluice := c.command()

	built := c.build("template.yaml")
	c.deploy(replicaRegion, "orders-dev-copies", "consumers/replication/destination.yaml", map[string]string{"Prefix": "dev-"})
	dir := c.expanded(built)
	parameters := map[string]string{"Prefix": "dev-", "ReplicaRegion": replicaRegion, "SearchEndpoint": "https://search.example", "SearchAuth": "none"}
	outputs := c.deploy(servertest.Region, "orders-dev", filepath.Join(dir, "template.yaml"), parameters)
	if outputs["OrdersTable"] != "Orders" || outputs["CustomerRevenueTable"] != "dev-CustomerRevenue" {
		t.Fatalf("outputs %v", outputs)
	}
	sluice("attach Orders --stack orders-dev --yes", "The changes of table Orders go into stream", "sluice backfill search --stack orders-dev", "sluice rebuild revenue --stack orders-dev")
	sluice("attach Orders --stack orders-dev", "already, in microseconds")
	sluice("backfill replication --stack orders-dev --yes", "1000 items written")
	sluice("rebuild revenue --stack orders-dev --yes --clocks 0s", "revenue")
	sluice("verify replication --stack orders-dev --patience 0s", "1000 items of table Orders")
	for customer, total := range revenue {
		item := c.item(servertest.Region, "dev-CustomerRevenue", map[string]types.AttributeValue{"CustomerId": &types.AttributeValueMemberS{Value: customer}})
		if got, _ := item["Total"].(*types.AttributeValueMemberN); got == nil || got.Value != fmt.Sprint(total) {
			t.Errorf("the revenue of %s is %+v, want %d", customer, item, total)
		}
	}
	copied := c.item(replicaRegion, "dev-OrdersCopy", orderKey(7))
	if copied["total"] == nil || copied["email"] != nil {
		t.Errorf("the copy of an order is %v", copied)
	}

	// The second pipeline makes its own table, and has the real OpenSearch.
	other := c.deploy(servertest.Region, "orders-prod", filepath.Join(dir, "template.yaml"), map[string]string{"Prefix": "prod-", "ExistingOrdersTable": "none"})
	if other["OrdersTable"] != "prod-Orders" || other["StreamArn"] == outputs["StreamArn"] {
		t.Fatalf("outputs of the second pipeline: %v", other)
	}
	stack := c.deploy(servertest.Region, "orders-prod-search", filepath.Join(dir, "Search", "template.yaml"), map[string]string{
		"Prefix": "prod-", "OrdersTable": "prod-Orders", "StreamArn": other["StreamArn"], "SearchEndpoint": search, "SearchAuth": "none",
	})
	if stack["SourceTables"] != "prod-Orders" {
		t.Errorf("search takes changes of %s", stack["SourceTables"])
	}
	_, name, _ := strings.Cut(other["StreamArn"], ":stream/")
	c.carry(name, "prod-Orders")
	if _, err := orders.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("prod-Orders"), Item: order(7)}); err != nil {
		t.Fatal(err)
	}
	c.wantDocument(search, "prod-orders", `"OrderId":"order-7"`)
	await(t, "the second pipeline's view has the order", func() (bool, string) {
		item := c.item(servertest.Region, "prod-CustomerRevenue", map[string]types.AttributeValue{"CustomerId": &types.AttributeValueMemberS{Value: "customer-7"}})
		return item != nil, fmt.Sprint(item)
	})
}

// adopt makes the repository of docs/adopt.md, without the consumer of one's own.
func adopt(t *testing.T) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "orders")
	text := readFile(t, "../docs/adopt.md")
	run := func(where, line string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
		cmd.Dir, cmd.Env = where, append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
	}
	run("..", "go run ./cmd/sluice new pipeline "+dir+" --module example.com/orders")
	for _, line := range regexp.MustCompile(`(?m)^go tool sluice new table .*$`).FindAllString(string(text), -1) {
		run(dir, line)
	}
	for _, block := range adopted.FindAllStringSubmatch(string(text), -1) {
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(block[1])), []byte(block[2]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run(dir, "go tool sluice lint --fix && go build -o sluice ./cmd/sluice")
	return dir
}

// command returns a function that runs the team's command in the account, and wants texts in what it prints.
func (c *cloud) command() func(line string, texts ...string) {
	return func(line string, texts ...string) {
		c.t.Helper()
		cmd := exec.CommandContext(c.t.Context(), "./sluice", strings.Fields(line)...)
		cmd.Dir = c.root
		cmd.Env = append(os.Environ(), "AWS_REGION="+servertest.Region, "AWS_ACCESS_KEY_ID="+c.account, "AWS_SECRET_ACCESS_KEY=secret", "AWS_ENDPOINT_URL="+*c.config.BaseEndpoint)
		out, err := cmd.CombinedOutput()
		c.t.Logf("$ sluice %s\n%s", line, out)
		if err != nil {
			c.t.Fatalf("sluice %s: %v", line, err)
		}
		for _, text := range texts {
			if !strings.Contains(string(out), text) {
				c.t.Errorf("sluice %s: the output has no %q", line, text)
			}
		}
	}
}

func orderKey(n int) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		"CustomerId": &types.AttributeValueMemberS{Value: fmt.Sprintf("customer-%d", n%9)}, "OrderId": &types.AttributeValueMemberS{Value: fmt.Sprintf("order-%d", n)},
	}
}

func order(n int) map[string]types.AttributeValue {
	item := orderKey(n)
	item["status"], item["email"] = &types.AttributeValueMemberS{Value: "PAID"}, &types.AttributeValueMemberS{Value: "a@example.com"}
	item["total"] = &types.AttributeValueMemberN{Value: fmt.Sprint(n)}
	item["placedAt"] = &types.AttributeValueMemberS{Value: fmt.Sprintf("2026-11-%02dT10:00:00Z", 1+n%28)}
	return item
}

// fillOrders puts orders into the table, and returns what each customer has paid.
func fillOrders(t *testing.T, client *dynamodb.Client) map[string]int {
	t.Helper()
	const batch = 25
	revenue := map[string]int{}
	for first := 0; first < existingOrders; first += batch {
		var puts []types.WriteRequest
		for n := first; n < first+batch; n++ {
			puts = append(puts, types.WriteRequest{PutRequest: &types.PutRequest{Item: order(n)}})
			revenue[fmt.Sprintf("customer-%d", n%9)] += n
		}
		if _, err := client.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"Orders": puts}}); err != nil {
			t.Fatal(err)
		}
	}
	return revenue
}
