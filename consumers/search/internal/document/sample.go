package document

import (
	"math/rand/v2"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/shared/declaration"
)

// sampled are the values of fields by their type in a mapping. Fields of other types are left out of a sample.
var sampled = map[string]func(r *rand.Rand) types.AttributeValue{
	"keyword": declaration.AnyText, "text": declaration.AnyText, "date": declaration.AnyTime, "date_nanos": declaration.AnyTime, "boolean": declaration.AnyTruth,
	"byte": declaration.AnyNumber, "short": declaration.AnyNumber, "integer": declaration.AnyNumber, "long": declaration.AnyNumber,
	"float": declaration.AnyNumber, "double": declaration.AnyNumber, "half_float": declaration.AnyNumber, "scaled_float": declaration.AnyNumber,
}

// Sample returns what an item holds that the route takes, with a value for each field whose type says enough.
func (r *Route) Sample() declaration.Sample {
	s := declaration.Sample{Table: r.Source}
	s.HoldAll(r.where)
	renamed := map[string]declaration.Path{}
	for text, field := range r.rename {
		if path, err := declaration.ParsePath(text); err == nil {
			renamed[field] = path
		}
	}
	for field, m := range r.mapping.Properties {
		path, is := renamed[field]
		if !is {
			path = declaration.Whole(field)
		}
		if value := sampled[m.Type]; value != nil {
			s.Hold(value, path)
		}
	}
	return s
}
