package change_test

import (
	"maps"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"sluice/shared/change"
)

// picked selects members by name, at each depth.
type picked map[string]picked

func (p picked) Member(name string) (change.Selector, bool) {
	inner, ok := p[name]
	if inner == nil {
		return nil, ok
	}
	return inner, ok
}

// filtered does to the SDK's values what Filter does to an image's.
func filtered(v types.AttributeValue, p picked) types.AttributeValue {
	m, ok := v.(*types.AttributeValueMemberM)
	if !ok || p == nil {
		return v
	}
	out := map[string]types.AttributeValue{}
	for name, member := range m.Value {
		if inner, ok := p[name]; ok {
			out[name] = filtered(member, inner)
		}
	}
	return &types.AttributeValueMemberM{Value: out}
}

// Random values and selections: what is left is what a copy without the others has, nested to any depth, and the value itself
// is as it was. Fails if a value that is left out shifts what stands behind it.
func TestFilter(t *testing.T) {
	names := rapid.SampledFrom([]string{"a", "b", "c", "ü"})
	var value func(depth int) *rapid.Generator[types.AttributeValue]
	value = func(depth int) *rapid.Generator[types.AttributeValue] {
		return rapid.Custom(func(t *rapid.T) types.AttributeValue {
			kind := rapid.IntRange(0, 6).Draw(t, "kind")
			if depth == 0 {
				kind = min(kind, 2)
			}
			switch kind {
			case 0:
				return &types.AttributeValueMemberS{Value: rapid.StringN(0, 5, -1).Draw(t, "text")}
			case 1:
				return &types.AttributeValueMemberNULL{Value: true}
			case 2:
				return &types.AttributeValueMemberNS{Value: []string{"1", "2.5"}}
			case 3:
				return &types.AttributeValueMemberL{Value: rapid.SliceOfN(value(depth-1), 0, 3).Draw(t, "list")}
			}
			return &types.AttributeValueMemberM{Value: rapid.MapOfN(names, value(depth-1), 0, 4).Draw(t, "map")}
		})
	}
	var selection func(depth int) *rapid.Generator[picked]
	selection = func(depth int) *rapid.Generator[picked] {
		return rapid.Custom(func(t *rapid.T) picked {
			if rapid.Bool().Draw(t, "all") || depth == 0 {
				return nil
			}
			return rapid.MapOfN(names, selection(depth-1), 0, 4).Draw(t, "picked")
		})
	}
	opts := cmpopts.IgnoreUnexported(types.AttributeValueMemberS{}, types.AttributeValueMemberNULL{}, types.AttributeValueMemberNS{}, types.AttributeValueMemberL{}, types.AttributeValueMemberM{})
	rapid.Check(t, func(t *rapid.T) {
		item := map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "x"}, "v": value(4).Draw(t, "v"), "w": value(2).Draw(t, "w")}
		p := picked{}
		maps.Copy(p, selection(4).Draw(t, "p"))
		c, err := change.FromItem("T", []string{"id"}, item, time.Unix(1e9, 0))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"v", "w"} {
			v, _ := c.New.Get(name)
			left := v.Filter(p)
			if diff := cmp.Diff(filtered(item[name], p), left.AttributeValue(), opts, cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("-want +got:\n%s", diff)
			}
			for inner := range p {
				if _, taken := left.Member(inner); taken {
					if _, there := v.Member(inner); !there {
						t.Fatalf("%s was made up", inner)
					}
				}
			}
			if diff := cmp.Diff(item[name], v.AttributeValue(), opts, cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("the value itself changed:\n%s", diff)
			}
		}
	})
}
