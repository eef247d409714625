package servers

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
)

// CFNLint is AWS's checker of templates. It is installed as the servers are, and runs only within LintTemplates.
var CFNLint = &Server{
	Name:         "cfn-lint",
	Version:      "1.58.0",
	slug:         "cfn-lint",
	recipe:       recipe("cfnlint"),
	installNeeds: []tool{python},
	// Most of its packages' modules are never used, so compiling all of them would take longer than everything else.
	install: installPackages("--no-compile"),
	// A Python that was upgraded or removed leaves the environment behind without its packages.
	intact: func(ctx context.Context, dir string) bool {
		return exec.CommandContext(ctx, venvPython(dir), "-c", "import cfnlint, regex, yaml").Run() == nil
	},
}

// LintTemplates returns what CFNLint, which must be installed, finds in templates: "" if nothing.
func LintTemplates(ctx context.Context, paths ...string) (findings string, err error) {
	dir, err := CFNLint.dir()
	if err != nil {
		return "", err
	}
	// Its own script names the directory in which it was installed, which has another name since.
	const start = "import sys; from cfnlint.runner import main; sys.exit(main())"
	arguments := append([]string{"-c", start, "--format", "parseable", "--template"}, paths...)
	cmd := exec.CommandContext(ctx, venvPython(dir), arguments...)
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
