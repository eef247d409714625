package operate_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/operate"
)

// Each item is handed on as an insert from before it was read, with one identity of the item each time; a run that failed resumes behind
// the pages that were done. Fails if an item is left out, or if a rejected one ends the run.
func TestReplay(t *testing.T) {
	client := dynamodb.NewFromConfig(servertest.DynamoDB(t))
	servertest.CreateTable(t, client, "Replayed", "Id")
	const items = 40
	for i := range items {
		if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: new("Replayed"), Item: operate.Item{"Id": &types.AttributeValueMemberS{Value: fmt.Sprint(i)}}}); err != nil {
			t.Fatal(err)
		}
	}
	var mu sync.Mutex
	handed, calls, down := map[string]int{}, 0, errors.New("the destination is down")
	r := &operate.Replay{Source: &operate.Source{Client: client, Table: "Replayed", Limit: 3}, Destination: "table Copies", Segments: 2, Apply: func(_ context.Context, c *change.Change) error {
		mu.Lock()
		defer mu.Unlock()
		if calls++; calls == items/2 {
			return down
		}
		handed[c.ItemKey()]++
		if id, err := c.Keys.String("Id"); err != nil || id == "7" {
			return consumer.Reject(errors.Join(err, errors.New("seven")))
		}
		if c.Kind != change.Insert || !c.New.Exists() || time.Since(c.Time()) < operate.ReadMargin {
			t.Errorf("an item is handed on as a %s of %v", c.Kind, c.Time())
		}
		return nil
	}}
	steps, err := r.Steps(t.Context())
	if err != nil || len(steps) != 1 || steps[0].Into != "table Copies" {
		t.Errorf("steps %+v, %v", steps, err)
	}
	read := 0
	progress := func(n int) {
		mu.Lock()
		defer mu.Unlock()
		read += n
	}
	if _, err := r.Run(t.Context(), progress); !errors.Is(err, down) {
		t.Fatalf("the first run: %v, want its error", err)
	}
	before := calls
	done, err := r.Run(t.Context(), progress)
	if err != nil || done.Rejected != 1 || done.Written < items-1 || read != items {
		t.Errorf("the second run: %+v, %v; %d items read", done, err, read)
	}
	if len(handed) != items || calls-before >= items {
		t.Errorf("%d items were handed on, want %d; %d by the second run, which had to resume", len(handed), items, calls-before)
	}
}
