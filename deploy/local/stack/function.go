package stack

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"sluice/deploy/local/mapping/function"
)

// environment is what Lambda would give to the function in a region, with the local endpoints.
func (c consumerPlan) environment(region string, endpoints Endpoints, key string) []string {
	env := []string{
		"AWS_REGION=" + region,
		"AWS_ACCESS_KEY_ID=" + key,
		"AWS_SECRET_ACCESS_KEY=" + secretKey,
		"AWS_ENDPOINT_URL=" + endpoints.AWS,
		"AWS_ENDPOINT_URL_DYNAMODB=" + endpoints.DynamoDB,
	}
	for name, value := range c.function.Environment {
		env = append(env, name+"="+value)
	}
	slices.Sort(env)
	return env
}

func (c consumerPlan) build(ctx context.Context, binary string) error {
	source, err := filepath.Abs(c.function.CodeDir)
	if err != nil {
		return err
	}
	if err := function.Build(ctx, source, ".", binary); ctx.Err() != nil {
		return ctx.Err()
	} else if err != nil {
		return fmt.Errorf("build consumer %s in %s: %w", c.name, source, err)
	}
	return nil
}
