package operate

import (
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/shared/declaration"
)

// Declarer is a Consumer whose template follows from a pipeline's declarations: sluice lint compares both.
type Declarer interface {
	Consumer
	// Needs returns what the declarations ask of the template. Names of tables, indexes and regions may be placeholders.
	Needs(d declaration.Declarations) (Needs, error)
}

// Needs are what declarations ask of their consumer's template.
type Needs struct {
	File    string            // that has the declarations
	Sources []string          // tables whose changes are taken
	Rights  []Right           // what the function does because of what is declared
	Outputs map[string]string // further outputs, which are not empty
	Copies  []Copy            // tables that are the same as another one, in other regions
	// Keys are examples of the keys that items are written with, by table: one for each declaration, with values of the right types.
	Keys map[string][]map[string]types.AttributeValue
	// Samples are what items hold that the declarations take, to make up items for a try. Kept are the tables that the function writes
	// itself, so that nobody makes up items there.
	Samples []declaration.Sample
	Kept    []string
}

// Right is a statement of the function's role.
type Right struct {
	Actions   []string // such as dynamodb:UpdateItem
	Resources []string // as Fn::Sub takes them
	Condition string   // of the template, on which the right depends; empty: none does
}

// Copy is a table in another region that is the same as one of the pipeline's.
type Copy struct{ Source, Table, Region string }

// TableARN returns the ARN of a table as Fn::Sub takes it. An empty region is the function's.
func TableARN(region, table string) string {
	if region == "" {
		region = "${AWS::Region}"
	}
	return fmt.Sprintf("arn:${AWS::Partition}:dynamodb:%s:${AWS::AccountId}:table/%s", region, table)
}

// Distinct returns texts sorted, each once.
func Distinct(texts []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(texts)))
}
