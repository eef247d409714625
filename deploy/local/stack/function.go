package stack

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gofrs/flock"

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

// build makes the function's binary, see [function.Build]. The checkout keeps a copy, so that the next stack links only what has changed.
func (c consumerPlan) build(ctx context.Context, root, binary string) (err error) {
	source, err := filepath.Abs(c.function.CodeDir)
	if err != nil {
		return err
	}
	kept, err := filepath.Abs(filepath.Join(root, ".sluice", "functions", c.name, filepath.Base(binary)))
	if err != nil {
		return err
	}
	if err := errors.Join(os.MkdirAll(filepath.Dir(kept), 0o755), os.MkdirAll(filepath.Dir(binary), 0o755)); err != nil {
		return err
	}
	lock := flock.New(kept + ".lock") // against another stack of the checkout
	defer func() { err = errors.Join(err, lock.Close()) }()
	if _, err := lock.TryLockContext(ctx, 100*time.Millisecond); err != nil {
		return fmt.Errorf("lock %s: %w", lock.Path(), err)
	}
	if err := function.Build(ctx, source, ".", kept); ctx.Err() != nil {
		return ctx.Err()
	} else if err != nil {
		return fmt.Errorf("build consumer %s in %s: %w", c.name, source, err)
	}
	text, err := os.ReadFile(kept)
	if err != nil {
		return err
	}
	if err := os.Remove(binary); err != nil && !errors.Is(err, fs.ErrNotExist) { // what runs can't be written to
		return err
	}
	return os.WriteFile(binary, text, 0o755)
}
