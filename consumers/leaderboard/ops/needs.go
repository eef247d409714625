package ops

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/consumers/leaderboard"
	"sluice/shared/declaration"
	"sluice/shared/operate"
)

var _ operate.Declarer = registered{}

// Needs implements operate.Declarer: a view's items are updated, and nothing else.
func (registered) Needs(d declaration.Declarations) (operate.Needs, error) {
	n := operate.Needs{File: leaderboard.ViewsFile, Keys: map[string][]map[string]types.AttributeValue{}}
	views, err := leaderboard.Views(d)
	if err != nil {
		return n, err
	}
	var kept []string
	for _, v := range views {
		n.Sources = append(n.Sources, v.Source)
		n.Samples = append(n.Samples, v.Sample())
		if v.Table != v.Source { // or applications write there, too
			n.Kept = append(n.Kept, v.Table)
		}
		n.Keys[v.Table] = append(n.Keys[v.Table], v.ProbeKey())
		kept = append(kept, operate.TableARN("", v.Table))
	}
	if len(kept) > 0 {
		n.Rights = []operate.Right{{Actions: []string{"dynamodb:UpdateItem"}, Resources: operate.Distinct(kept)}}
	}
	return n, nil
}
