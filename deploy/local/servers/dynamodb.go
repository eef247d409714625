package servers

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// copyDependencies is the pinned Maven goal that puts a pom's dependencies into a directory.
const copyDependencies = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"

// installJars has Maven fetch what pom.xml names, checks that it is what jars.sha256 lists, and compiles Guard.java.
func installJars(ctx context.Context, dir string, progress Progress) error {
	mvn, err := maven.path()
	if err != nil {
		return err
	}
	files := 0
	lib := filepath.Join(dir, "lib")
	if err := runInstaller(ctx, dir, func(line string) {
		if strings.Contains(line, "Downloaded from ") {
			files++
			progress.say("files downloaded: %d", files)
		}
	}, mvn, "--batch-mode", "--strict-checksums", "-Dstyle.color=never", "--file", filepath.Join(dir, "pom.xml"), copyDependencies,
		"-DincludeScope=runtime", "-DoutputDirectory="+lib); err != nil {
		return err
	}
	if err := checkSums(lib, filepath.Join(dir, "jars.sha256")); err != nil {
		return err
	}
	program, err := java.path()
	if err != nil {
		return err
	}
	return runInstaller(ctx, dir, nil, program, "-cp", filepath.Join(lib, "*"), "org.eclipse.jdt.internal.compiler.batch.Main",
		"-17", "-proc:none", "-nowarn", "-d", filepath.Join(dir, "classes"), filepath.Join(dir, "Guard.java"))
}

// jetty makes the command that runs what installJars has installed, as server.xml says it with the given properties.
func jetty(dir string, run launch, flags []string, properties ...string) (command, error) {
	path, err := java.path()
	if err != nil {
		return command{}, err
	}
	args := append(flags,
		"-XX:+UseSerialGC",          // it shares the machine with all else
		"-XX:TieredStopAtLevel=1",   // it starts in half the processor time, and few runs are long enough to miss the faster code
		"-Djava.io.tmpdir="+run.dir, // for native libraries
		"-XX:-UsePerfData",          // no file in /tmp
		"-XX:+ExitOnOutOfMemoryError",
		"-cp", filepath.Join(dir, "classes")+string(os.PathListSeparator)+filepath.Join(dir, "lib", "*"),
		"org.eclipse.jetty.xml.XmlConfiguration")
	args = append(append(args, properties...), filepath.Join(dir, "server.xml"))
	return command{path: path, args: args, env: environment(run)}, nil
}

// DynamoDBLocal is AWS's own engine of DynamoDB and DynamoDB Streams, in memory. It keeps a database for each
// access key and region, so tests and regions can share one server without meeting.
var DynamoDBLocal = &Server{
	Name:          "DynamoDB Local",
	Version:       "2.5.4",
	PreferredPort: 8000,
	slug:          "dynamodb-local",
	recipe:        recipe("dynamodb"),
	needs:         []tool{java},
	installNeeds:  []tool{maven},
	install:       installJars,
	command: func(dir string, run launch) (command, error) {
		c, err := jetty(dir, run, nil, "log="+run.logPath)
		c.listenerIsStdin = true
		return c, err
	},
	answers: func(ctx context.Context, endpoint, _ string) error {
		client := dynamodb.New(dynamodb.Options{
			BaseEndpoint: &endpoint,
			Region:       "us-east-1",
			Credentials:  credentials.NewStaticCredentialsProvider("readiness", "readiness", ""),
			Retryer:      aws.NopRetryer{},
		})
		_, err := client.ListTables(ctx, &dynamodb.ListTablesInput{})
		return err
	},
}
