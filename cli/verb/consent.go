package verb

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

// ConsentFlags say how a writing verb asks before it writes.
type ConsentFlags struct {
	Yes    bool `help:"Go on without being asked. Needed where there is no terminal."`
	DryRun bool `help:"Print the plan: where, which tables, how many items. Write nothing."`
}

// RemoveFlags say what a writing verb may delete.
type RemoveFlags struct {
	RemoveExtra RemoveExtra `help:"Delete what the source doesn't have, within --max-remove. --remove-extra=N allows N items whatever --max-remove says." placeholder:"N"`
	MaxRemove   MaxRemove   `default:"1%,100" env:"SLUICE_MAX_REMOVE" help:"How much of a destination may be deleted without its number being named: a share, a number of items, or both." placeholder:"1%,100"`
}

// RemoveExtra is a flag that may have a number.
type RemoveExtra struct {
	Allowed bool
	Named   int
}

var _ kong.BoolMapperValue = (*RemoveExtra)(nil)

// IsBool reports that the flag needs no value.
func (*RemoveExtra) IsBool() bool { return true }

// Decode reads the flag's value, if it has one.
func (r *RemoveExtra) Decode(ctx *kong.DecodeContext) error {
	*r = RemoveExtra{Allowed: true}
	if ctx.Scan.Peek().Type != kong.FlagValueToken {
		return nil
	}
	text := ctx.Scan.Pop().String()
	if _, err := fmt.Sscanf(text+"\n", "%d\n", &r.Named); err != nil || r.Named < 1 {
		return fmt.Errorf("--remove-extra must be alone or name a number from 1 (got %q)", text)
	}
	return nil
}

// MaxRemove is a flag that is a limit.
type MaxRemove struct{ operate.Limit }

// UnmarshalText reads the limit.
func (m *MaxRemove) UnmarshalText(text []byte) (err error) {
	m.Limit, err = operate.ParseLimit(string(text))
	return err
}

// Removal returns what may be deleted.
func (f RemoveFlags) Removal() operate.Removal {
	return operate.Removal{Allowed: f.RemoveExtra.Allowed, Named: f.RemoveExtra.Named, Limit: f.MaxRemove.Limit}
}

// Consent returns how to ask. If standard output is for programs, the plan goes to standard error.
func (f ConsentFlags) Consent(removal operate.Removal, json bool) operate.Consent {
	var out io.Writer = Stdout
	if json {
		out = os.Stderr
	}
	return operate.Consent{
		Yes: f.Yes, DryRun: f.DryRun, Removal: removal,
		Terminal: IsTerminal(os.Stdin) && IsTerminal(os.Stderr), In: os.Stdin, Out: out,
	}
}

// Place says where the chosen pipeline is: the local stack's directory, or account and region.
func (f PipelineFlags) Place(ctx context.Context) (string, error) { return f.PlaceIn(ctx, "") }

// PlaceIn is Place in a region; an empty one is that of the AWS CLI.
func (f PipelineFlags) PlaceIn(ctx context.Context, region string) (string, error) {
	if f.Stack == "" {
		dir, err := f.Dir()
		return "the local stack at " + dir, err
	}
	cfg, err := DeployedConfig(ctx, region)
	if err != nil {
		return "", err
	}
	return AWSAccount(ctx, cfg)
}

// AWSAccount says which account and region a configuration leads to.
func AWSAccount(ctx context.Context, cfg aws.Config) (string, error) {
	out, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return "", fmt.Errorf("find out which AWS account this is: %w", err)
	}
	return fmt.Sprintf("AWS account %s, region %s", aws.ToString(out.Account), cfg.Region), nil
}
