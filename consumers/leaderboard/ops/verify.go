package ops

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sluice/shared/operate"
	"sluice/shared/verify"
)

var _ operate.Verifier = registered{}

func (registered) Verify() operate.Verification { return &verification{} }

type verification struct{}

// Open implements operate.Verification. One comparison reads each table once for all views.
func (*verification) Open(_ context.Context, p operate.Part, o operate.Options) ([]operate.Comparison, error) {
	s, err := ReadSettings(p)
	if err != nil {
		return nil, err
	}
	views, err := s.Views()
	if err != nil {
		return nil, err
	}
	return []operate.Comparison{verify.New(dynamodb.NewFromConfig(p.Tables), views, s.Horizon, o)}, nil
}
