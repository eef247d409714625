package query_test

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"

	"sluice/consumers/search"
	"sluice/consumers/search/ops"
	"sluice/consumers/search/query"
	"sluice/shared/consumertest/gametest"
	"sluice/shared/operate"
)

func init() {
	query.Compare = func(ctx context.Context, cfg aws.Config, s search.Settings) (items int, missing []string, err error) {
		operators, err := ops.Operators(cfg, gametest.Declarations(), s)
		if err != nil {
			return 0, nil, err
		}
		r, err := operate.Compare(ctx, operators[0].Comparison(2), operate.Judging{})
		for _, d := range r.Differences {
			if d.What != operate.Missing {
				return 0, nil, fmt.Errorf("%+v", d)
			}
			missing = append(missing, d.Key)
		}
		return r.Items, missing, err
	}
}
