package query_test

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"

	"sluice/consumers/search"
	"sluice/consumers/search/ops"
	"sluice/consumers/search/query"
)

func init() {
	query.Compare = func(ctx context.Context, cfg aws.Config, s search.Settings) (items int, missing []string, err error) {
		pairs, err := ops.Operators(cfg, s)
		if err != nil {
			return 0, nil, err
		}
		v, err := pairs[0].Verify(ctx, ops.VerifyOptions{Segments: 2})
		for _, d := range v.Differences {
			if d.What != ops.Missing {
				return 0, nil, fmt.Errorf("%+v", d)
			}
			missing = append(missing, d.ID)
		}
		return v.Items, missing, err
	}
}
