package consumer_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"strings"
	"time"

	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
)

// Audit writes a line for each change. A consumer's author writes this much,
// and a main that calls consumer.Main.
type Audit struct{ lines *strings.Builder }

func (a *Audit) Apply(_ context.Context, c *change.Change) error {
	if c.Table != "Orders" {
		return consumer.Skip
	}
	id, err := c.Keys.String("OrderId")
	if err != nil {
		return consumer.Reject(err)
	}
	fmt.Fprintf(a.lines, "%s %s %s\n", c.Time().UTC().Format("15:04:05.000000"), c.Kind, id)
	return nil
}

func Example() {
	audit := &Audit{lines: &strings.Builder{}}

	// Lambda would do this; consumer.Main sets it up there.
	function := consumer.NewHandler("audit", consumer.Each(audit), nil, consumer.Settings{}, slog.Default(), io.Discard)
	function.Now = func() time.Time { return consumertest.Arrival }
	key := consumertest.Item{"OrderId": consumertest.S("1001")}
	placed := consumertest.Change{Table: "Orders", Time: consumertest.Arrival, Keys: key, New: key}
	answer, err := function.Invoke(context.Background(), consumertest.Payload(1, placed.Record()))

	fmt.Print(audit.lines)
	fmt.Println(string(answer), err)
	// Output:
	// 03:04:05.000000 INSERT 1001
	// {"batchItemFailures":[]} <nil>
}
