package function

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
)

// Build makes the binary of a Go package, named as from dir, as for Lambda's provided.al2023, but for this machine's processor.
func Build(ctx context.Context, dir, pkg, binary string, flags ...string) error {
	arguments := append([]string{"build", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", binary}, flags...)
	cmd := exec.CommandContext(ctx, "go", append(arguments, pkg)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("%w\n%s", err, bytes.TrimSpace(out))
	}
	return nil
}
