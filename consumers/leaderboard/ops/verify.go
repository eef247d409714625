package ops

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sluice/consumers/leaderboard"
	"sluice/shared/operate"
	"sluice/shared/verify"
)

var _ operate.Verifier = registered{}

func (r registered) Verify() operate.Verification { return &verification{r} }

type verification struct{ registered registered }

// Open implements operate.Verification. One comparison reads each table once for all views.
func (v *verification) Open(_ context.Context, p operate.Part, o operate.Options) ([]operate.Comparison, error) {
	d, s, err := v.registered.settle(p)
	if err != nil {
		return nil, err
	}
	views, err := leaderboard.Views(d)
	if err != nil {
		return nil, err
	}
	return []operate.Comparison{verify.New(dynamodb.NewFromConfig(p.Tables), views, s.Horizon, o)}, nil
}
