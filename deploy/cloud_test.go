package deploy_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"sluice/deploy/local/mapping/function"
	"sluice/deploy/local/servers"
	"sluice/deploy/local/servers/servertest"
)

func TestMain(m *testing.M) { servertest.Main(m) }

// cloud is an account on ministack, into which the real SAM CLI deploys.
type cloud struct {
	t       *testing.T
	config  aws.Config
	account string
	root    string // of the checkout, or of a repository of a team's own
}

func newCloud(t *testing.T) *cloud {
	if err := servers.Install(t.Context(), t.Logf, servers.SAMCLI); err != nil {
		t.Fatal(err)
	}
	config := servertest.Ministack(t)
	credentials, err := config.Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return &cloud{t: t, config: config, account: credentials.AccessKeyID, root: ".."}
}

// sam runs the SAM CLI in the repository's root, as the README has it.
func (c *cloud) sam(region string, arguments ...string) {
	c.t.Helper()
	cmd, err := servers.SAM(c.t.Context(), *c.config.BaseEndpoint, c.account, region, arguments...)
	if err != nil {
		c.t.Fatal(err)
	}
	cmd.Dir = c.root
	cmd.Env = append(cmd.Env, "GOFLAGS=-tags=lambda.norpc -ldflags=-s")
	began := time.Now()
	out, err := cmd.CombinedOutput()
	c.t.Logf("$ sam %s (%.1f s)", strings.Join(arguments, " "), time.Since(began).Seconds())
	if err != nil {
		c.t.Fatalf("sam %s: %v\n%s", strings.Join(arguments, " "), err, out)
	}
}

// build builds a template's functions, and those of the templates within it, and returns the directory of the templates that have
// them. They are for the processor of the template; for this machine's, which runs them here, they are built once more if that is
// another. That alone is not as it would be on AWS.
func (c *cloud) build(template string) (dir string) {
	c.t.Helper()
	dir = filepath.Join(c.t.TempDir(), "build")
	c.sam(servertest.Region, "build", "--template", template, "--build-dir", dir)
	if runtime.GOARCH != "arm64" {
		c.rebuildForThisMachine(dir)
	}
	return dir
}

func (c *cloud) rebuildForThisMachine(dir string) {
	c.t.Helper()
	binaries, err := filepath.Glob(filepath.Join(dir, "*", "*", "bootstrap"))
	functions, globErr := filepath.Glob(filepath.Join(c.root, "consumers", "*", "template.yaml"))
	if err = errors.Join(err, globErr); err != nil || len(binaries) != len(functions) {
		c.t.Fatalf("sam build made %d functions in %s: %v", len(binaries), dir, err)
	}
	for _, binary := range binaries {
		// What it was made of stands in the binary.
		out, err := exec.CommandContext(c.t.Context(), "go", "version", "-m", binary).Output()
		if err != nil {
			c.t.Fatal(err)
		}
		_, rest, found := strings.Cut(string(out), "\n\tpath\t")
		pkg, _, _ := strings.Cut(rest, "\n")
		if !found || !strings.Contains(string(out), "GOARCH=arm64") || !strings.Contains(string(out), "lambda.norpc") {
			c.t.Fatalf("%s: not a function for arm64 without RPC:\n%s", binary, out)
		}
		if err := function.Build(c.t.Context(), c.root, pkg, binary); err != nil {
			c.t.Fatalf("build %s: %v", pkg, err)
		}
	}
}

// deploy makes a stack of a template and returns its outputs.
func (c *cloud) deploy(region, stack, template string, parameters map[string]string) map[string]string {
	c.t.Helper()
	arguments := []string{"deploy", "--template-file", template, "--stack-name", stack, "--region", region, "--resolve-s3", "--no-progressbar",
		"--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"}
	if len(parameters) > 0 {
		arguments = append(arguments, "--parameter-overrides")
		for name, value := range parameters {
			arguments = append(arguments, fmt.Sprintf("%s=%s", name, value))
		}
	}
	c.sam(region, arguments...)
	return c.outputs(region, stack)
}

func (c *cloud) outputs(region, stack string) map[string]string {
	c.t.Helper()
	client := cloudformation.NewFromConfig(c.config, func(o *cloudformation.Options) { o.Region = region })
	found, err := client.DescribeStacks(c.t.Context(), &cloudformation.DescribeStacksInput{StackName: &stack})
	if err != nil {
		c.t.Fatal(err)
	}
	if status := found.Stacks[0].StackStatus; status != types.StackStatusCreateComplete {
		c.t.Fatalf("stack %s is %s", stack, status)
	}
	outputs := map[string]string{}
	for _, o := range found.Stacks[0].Outputs {
		outputs[*o.OutputKey] = *o.OutputValue
	}
	return outputs
}

// await waits until something is so; of what it isn't yet, the last is told.
func await(t *testing.T, what string, is func() (yes bool, instead string)) {
	t.Helper()
	deadline := time.After(time.Minute)
	for {
		yes, instead := is()
		if yes {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("waited a minute until %s; %s", what, instead)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func fetch(t *testing.T, request *http.Request) (body string) {
	t.Helper()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(read)
}
