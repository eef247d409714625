// Package meter adds up what the calls of a DynamoDB client cost, in units, as
// DynamoDB itself counts them.
package meter

import (
	"context"
	"reflect"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"
)

// Usage is what calls cost.
type Usage struct {
	WriteUnits, ReadUnits float64 // indexes included
	Calls, Reads          int     // reads are calls too
}

func (u *Usage) add(o Usage) {
	u.WriteUnits += o.WriteUnits
	u.ReadUnits += o.ReadUnits
	u.Calls += o.Calls
	u.Reads += o.Reads
}

// Meter adds up usage. The zero value is ready; it is safe for concurrent use, by
// several clients too.
//
// It counts the operations that Sluice's consumers use for their work on items; of
// others it counts only that they are calls. A call that a condition refused
// costs as much as a write of an item of at most 1 KB: DynamoDB doesn't say.
// A transaction costs two units for each of its items, as AWS documents for items of at
// most 1 KB; what it costs in indexes is left out. DynamoDB Local says 4 for each
// table, whether the transaction writes 1 item there or 65.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
type Meter struct {
	mu   sync.Mutex
	used Usage
}

// Take returns what was used since the last Take.
func (m *Meter) Take() Usage {
	m.mu.Lock()
	defer m.mu.Unlock()
	used := m.used
	m.used = Usage{}
	return used
}

// Install puts the meter into a client; it is one of aws.Config's APIOptions. The
// client then asks for ConsumedCapacity.
func (m *Meter) Install(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("meter", m.call), middleware.After)
}

func (m *Meter) call(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
	used := ask(in.Parameters)
	out, metadata, err := next.HandleInitialize(ctx, in)
	if err == nil {
		used = consumed(out.Result, used)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.used.add(used)
	return out, metadata, err
}

// ask makes a call ask for what it costs, and returns what it costs if its
// condition is refused.
func ask(parameters any) Usage {
	refused := Usage{Calls: 1}
	switch p := parameters.(type) {
	case *dynamodb.TransactWriteItemsInput:
		refused.WriteUnits = float64(2 * len(p.TransactItems)) // the same if it goes through
		return refused
	case *dynamodb.PutItemInput, *dynamodb.UpdateItemInput, *dynamodb.DeleteItemInput:
		refused.WriteUnits = 1
	case *dynamodb.GetItemInput, *dynamodb.BatchGetItemInput, *dynamodb.QueryInput:
		refused.Reads = 1
	case *dynamodb.BatchWriteItemInput:
	default:
		return refused
	}
	reflect.ValueOf(parameters).Elem().FieldByName("ReturnConsumedCapacity").Set(reflect.ValueOf(types.ReturnConsumedCapacityTotal))
	return refused
}

// consumed reads what a call cost from its answer. asked is what the call would have cost
// if its condition had been refused.
func consumed(answer any, asked Usage) Usage {
	if _, ok := answer.(*dynamodb.TransactWriteItemsOutput); ok {
		return asked
	}
	units := 0.0
	if field := reflect.ValueOf(answer).Elem().FieldByName("ConsumedCapacity"); field.IsValid() {
		switch c := field.Interface().(type) {
		case *types.ConsumedCapacity:
			if c != nil {
				units = aws.ToFloat64(c.CapacityUnits)
			}
		case []types.ConsumedCapacity:
			for _, one := range c {
				units += aws.ToFloat64(one.CapacityUnits)
			}
		}
	}
	if asked.Reads > 0 {
		return Usage{Calls: 1, Reads: 1, ReadUnits: units}
	}
	return Usage{Calls: 1, WriteUnits: units}
}
