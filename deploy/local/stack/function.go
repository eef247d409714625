package stack

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// environment is what Lambda would give to the function in a region, with the local endpoints.
func (c consumerPlan) environment(region string, endpoints Endpoints) []string {
	env := []string{
		"AWS_REGION=" + region,
		"AWS_ACCESS_KEY_ID=" + accessKey,
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

// build makes the function's binary as for Lambda's provided.al2023, except that it is for this machine: Lambda may
// run it on another architecture.
func (c consumerPlan) build(ctx context.Context, binary string) error {
	source, err := filepath.Abs(c.function.CodeDir)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", binary, ".")
	cmd.Dir = source
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("build consumer %s in %s: %w\n%s", c.name, source, err, strings.TrimSpace(string(out)))
	}
	return nil
}
