package cli

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"sluice/shared/operate"
)

// consentFlags say how a writing verb asks before it writes.
type consentFlags struct {
	Yes    bool `help:"Go on without being asked. Needed where there is no terminal."`
	DryRun bool `help:"Print the plan: where, which tables, how many items. Write nothing."`
}

// removeFlags say what a writing verb may delete.
type removeFlags struct {
	RemoveExtra removeExtra `help:"Delete what the source doesn't have, within --max-remove. --remove-extra=N allows N items whatever --max-remove says." placeholder:"N"`
	MaxRemove   maxRemove   `default:"1%,100" env:"SLUICE_MAX_REMOVE" help:"How much of a destination may be deleted without its number being named: a share, a number of items, or both." placeholder:"1%,100"`
}

// removeExtra is a flag that may have a number.
type removeExtra struct {
	allowed bool
	named   int
}

var _ kong.BoolMapperValue = (*removeExtra)(nil)

// IsBool reports that the flag needs no value.
func (*removeExtra) IsBool() bool { return true }

// Decode reads the flag's value, if it has one.
func (r *removeExtra) Decode(ctx *kong.DecodeContext) error {
	*r = removeExtra{allowed: true}
	if ctx.Scan.Peek().Type != kong.FlagValueToken {
		return nil
	}
	text := ctx.Scan.Pop().String()
	if _, err := fmt.Sscanf(text+"\n", "%d\n", &r.named); err != nil || r.named < 1 {
		return fmt.Errorf("--remove-extra must be alone or name a number from 1 (got %q)", text)
	}
	return nil
}

// maxRemove is a flag that is a limit.
type maxRemove struct{ operate.Limit }

// UnmarshalText reads the limit.
func (m *maxRemove) UnmarshalText(text []byte) (err error) {
	m.Limit, err = operate.ParseLimit(string(text))
	return err
}

func (f removeFlags) removal() operate.Removal {
	return operate.Removal{Allowed: f.RemoveExtra.allowed, Named: f.RemoveExtra.named, Limit: f.MaxRemove.Limit}
}

// consent returns how to ask. If standard output is for programs, the plan goes to standard error.
func (f consentFlags) consent(removal operate.Removal, json bool) operate.Consent {
	var out io.Writer = stdout
	if json {
		out = os.Stderr
	}
	return operate.Consent{
		Yes: f.Yes, DryRun: f.DryRun, Removal: removal,
		Terminal: isTerminal(os.Stdin) && isTerminal(os.Stderr), In: os.Stdin, Out: out,
	}
}

// place says where the chosen pipeline is: the local stack's directory, or account and region.
func (f pipelineFlags) place(ctx context.Context) (string, error) { return f.placeIn(ctx, "") }

// placeIn is place in a region; an empty one is that of the AWS CLI.
func (f pipelineFlags) placeIn(ctx context.Context, region string) (string, error) {
	if f.Stack == "" {
		dir, err := f.runDir()
		return "the local stack at " + dir, err
	}
	cfg, err := deployedConfig(ctx, region)
	if err != nil {
		return "", err
	}
	return awsAccount(ctx, cfg)
}

// awsAccount says which account and region a configuration leads to.
func awsAccount(ctx context.Context, cfg aws.Config) (string, error) {
	out, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return "", fmt.Errorf("find out which AWS account this is: %w", err)
	}
	return fmt.Sprintf("AWS account %s, region %s", aws.ToString(out.Account), cfg.Region), nil
}
