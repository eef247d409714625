package servers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
)

// SAMCLI is AWS's own tool that builds, checks and deploys templates, with its checker cfn-lint. It is no server.
var SAMCLI = &Server{
	Name:         "AWS SAM CLI",
	Version:      "1.170.0",
	slug:         "samcli",
	recipe:       recipe("samcli"),
	installNeeds: []tool{python},
	// Most of its packages' modules are never used, so compiling all of them would take longer than everything else.
	install: installPackages("--no-compile"),
	intact:  imports("cfnlint, regex, samcli, samtranslator, yaml"),
}

// Its own scripts name the directory in which it was installed, which has another name since.
const (
	startSAM     = "import sys; from samcli.cli.main import cli; sys.argv[0] = 'sam'; cli(prog_name='sam')"
	startCFNLint = "import sys; from cfnlint.runner import main; sys.exit(main())"

	// AWS's own transform, which CloudFormation runs on a template where it is deployed.
	startTransform = `
import json, sys
from samcli.yamlhelper import yaml_parse
from samtranslator.translator.transform import transform

class NoManagedPolicies:
    def load(self):
        return {}

for path in sys.argv[1:]:
    with open(path) as file:
        template = yaml_parse(file.read())
    expanded = transform(template, {}, NoManagedPolicies())
    with open(path, "w") as file:
        json.dump(expanded, file, indent=2)
`
)

// SAM makes the command "sam", not yet started. Calls go to endpoint, in the given account and region. The command knows nothing
// else of this process's settings but where tools and caches are, so it can meet no real account.
func SAM(ctx context.Context, endpoint, account, region string, arguments ...string) (*exec.Cmd, error) {
	cmd, err := runSAMCLI(ctx, startSAM, arguments...)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"HOME", "TMPDIR", "GOPATH", "GOCACHE", "GOMODCACHE", "GOPROXY", "GOSUMDB", "GOFLAGS", "GOTOOLCHAIN"} {
		if value, set := os.LookupEnv(name); set { //nolint:forbidigo // where tools are, not a setting
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	cmd.Env = append(cmd.Env,
		"AWS_ENDPOINT_URL="+endpoint, "AWS_ACCESS_KEY_ID="+account, "AWS_SECRET_ACCESS_KEY=secret", "AWS_DEFAULT_REGION="+region,
		"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull, "AWS_EC2_METADATA_DISABLED=true",
		"SAM_CLI_TELEMETRY=0", "SAM_CLI_POLL_DELAY=0.2")
	return cmd, nil
}

func runSAMCLI(ctx context.Context, code string, arguments ...string) (*exec.Cmd, error) {
	dir, err := SAMCLI.dir()
	return runPython(ctx, dir, code, arguments...), err
}

// ExpandTemplates replaces SAM templates by what CloudFormation's transform makes of them, in JSON. SAMCLI must be installed.
func ExpandTemplates(ctx context.Context, region string, paths ...string) error {
	cmd, err := runSAMCLI(ctx, startTransform, paths...)
	if err != nil {
		return err
	}
	cmd.Env = append(cmd.Env, "AWS_DEFAULT_REGION="+region)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("expand %q: %w\n%s", paths, err, out)
	}
	return nil
}

// LintTemplates returns what cfn-lint, of SAMCLI, which must be installed, finds in templates: "" if nothing.
func LintTemplates(ctx context.Context, paths ...string) (findings string, err error) {
	cmd, err := runSAMCLI(ctx, startCFNLint, append([]string{"--format", "parseable", "--template"}, paths...)...)
	if err != nil {
		return "", err
	}
	out, err := cmd.Output()
	// Its exit codes are the sums of 2, 4 and 8 for errors, warnings and advice; 1 and 32 on mean that it failed itself.
	if ended, ok := errors.AsType[*exec.ExitError](err); ok {
		if code := ended.ExitCode(); code > 1 && code < 16 && len(out) > 0 {
			return string(out), nil
		}
		return "", fmt.Errorf("cfn-lint: %w: %s%s", err, out, ended.Stderr)
	}
	return string(out), err
}
