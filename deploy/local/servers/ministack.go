package servers

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
)

// Ministack serves Kinesis, SQS, SNS, S3 and Secrets Manager on one port, in memory. An access key of twelve digits is the
// account it works in, so tests can share one server without meeting (but buckets have one namespace, as on AWS).
var Ministack = ministackWith("kinesis,sqs,sns,s3,secretsmanager")

// MinistackForTemplates has the services that a deployment of SAM templates needs besides. Whoever may call its Lambda runs programs
// as its user, so it is for tests, at a port of their own.
var MinistackForTemplates = ministackWith("kinesis,sqs,sns,s3,cloudformation,lambda,iam,sts,logs,dynamodb,dynamodbstreams,monitoring,secretsmanager")

func ministackWith(services string) *Server {
	return &Server{
		Name:          "ministack",
		Version:       "1.5.33",
		PreferredPort: 4566,
		slug:          "ministack",
		recipe:        recipe("ministack"),
		installNeeds:  []tool{python},
		install:       installPackages(),
		intact:        imports("hypercorn, ministack, samtranslator"),
		command:       runMinistack(services),
		answers:       answersMinistack,
	}
}

func runMinistack(services string) func(dir string, run launch) (command, error) {
	return func(dir string, run launch) (command, error) {
		return command{
			path: venvPython(dir),
			// Without workers it serves in the process that we start, not in one of its own.
			args: []string{"-m", "hypercorn", "guard:app", "--bind", "fd://3", "--workers", "0", "--keep-alive", "75"},
			env: append(environment(run),
				"PYTHONPATH="+dir, // of guard.py
				"PYTHONUNBUFFERED=1",
				"STATE_DIR="+filepath.Join(run.dir, "state"),
				"S3_DATA_DIR="+filepath.Join(run.dir, "s3"),
				"MINISTACK_HOST=127.0.0.1",
				fmt.Sprintf("GATEWAY_PORT=%d", run.port),
				"SERVICES="+services,
				fmt.Sprintf("AWS_ENDPOINT_URL=http://127.0.0.1:%d", run.port), // for the functions that it runs
				// What it would start beside them: a listener on every interface, and at its start and end the
				// removal of every container that any ministack of this machine has made.
				"IOT_MTLS_ENABLED=0",
				"SFTP_ENABLED=0",
				"DOCKER_HOST=unix://"+filepath.Join(run.dir, "no-docker"),
			),
		}, nil
	}
}

func answersMinistack(ctx context.Context, endpoint, key string) error {
	client := kinesis.New(kinesis.Options{
		BaseEndpoint: &endpoint,
		Region:       "us-east-1",
		Credentials:  credentials.NewStaticCredentialsProvider(key, "readiness", ""),
		Retryer:      aws.NopRetryer{},
	})
	_, err := client.ListStreams(ctx, &kinesis.ListStreamsInput{})
	return err
}

// installPackages makes what installs the packages of requirements.txt into a Python environment, with further flags of pip.
func installPackages(flags ...string) func(ctx context.Context, dir string, progress Progress) error {
	return func(ctx context.Context, dir string, progress Progress) error {
		python3, err := python.path()
		if err != nil {
			return err
		}
		venv := filepath.Join(dir, "venv")
		progress.say("making its Python environment")
		if err := runInstaller(ctx, dir, nil, python3, "-m", "venv", venv); err != nil {
			return err
		}
		packages := 0
		arguments := append([]string{"-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--no-deps", "--require-hashes",
			"--requirement", filepath.Join(dir, "requirements.txt")}, flags...)
		return runInstaller(ctx, dir, func(line string) {
			if strings.HasPrefix(line, "Collecting ") {
				packages++
				progress.say("packages fetched: %d", packages)
			}
		}, venvPython(dir), arguments...)
	}
}

// imports looks whether packages work: a Python that was upgraded or removed leaves the environment behind without them.
func imports(packages string) func(ctx context.Context, dir string) bool {
	return func(ctx context.Context, dir string) bool {
		return runPython(ctx, dir, "import "+packages).Run() == nil
	}
}

// runPython makes the command that runs some code with the packages of dir, not yet started. Python keeps beside the packages what
// it compiles, whatever this process's environment says: without, compiling takes two thirds of each run of the SAM CLI.
func runPython(ctx context.Context, dir, code string, arguments ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, venvPython(dir), append([]string{"-c", code}, arguments...)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")} //nolint:forbidigo // where tools are, not a setting
	return cmd
}

func venvPython(dir string) string { return filepath.Join(dir, "venv", "bin", "python") }
