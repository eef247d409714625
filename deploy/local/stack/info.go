package stack

import (
	"runtime/debug"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"sluice/deploy/local/bridge"
	"sluice/deploy/local/mapping"
)

// State is where a stack stands.
type State string

// The states of a stack.
const (
	Starting State = "starting"
	Ready    State = "ready"
	Stopping State = "stopping"
	Stopped  State = "stopped"
	Failed   State = "failed"
)

// Info is all there is to know about a stack.
type Info struct {
	State State `json:"state"`
	// Message is the step that is under way, or why the stack failed.
	Message string    `json:"message,omitempty"`
	Version string    `json:"version"` // of the program that runs it
	PID     int       `json:"pid"`     // of the process that runs it
	Started time.Time `json:"started"`
	Updated time.Time `json:"updated"` // when this was so
	RunDir  string    `json:"runDir"`
	Region  string    `json:"region"`
	// Endpoints are URLs; empty before the servers run.
	Endpoints Endpoints `json:"endpoints"`
	// Outputs are those of each template, by its name (stream, leaderboard) and the output's.
	Outputs   map[string]map[string]string `json:"outputs,omitempty"`
	Processes []Process                    `json:"processes,omitempty"`
	// Logs are the logs that are no server's, by what they tell of: stack, leaderboard.
	Logs   map[string]string `json:"logs,omitempty"`
	Bridge *bridge.Stats     `json:"bridge,omitempty"`
	// Mappings are by consumer.
	Mappings map[string]mapping.Stats `json:"mappings,omitempty"`
}

// Endpoints are where the servers listen.
type Endpoints struct {
	DynamoDB string `json:"dynamodb"` // DynamoDB and DynamoDB Streams
	AWS      string `json:"aws"`      // Kinesis, SQS and S3
}

// Process is a server.
type Process struct {
	Name     string `json:"name"`
	PID      int    `json:"pid"`
	Endpoint string `json:"endpoint"`
	Log      string `json:"log"`
}

// Credentials of everything local. DynamoDB Local keeps a database for each access key, and no server checks the
// secret.
const (
	accessKey = "sluice"
	secretKey = "sluice"
	accountID = "000000000000" // the account that ministack gives to such an access key
)

// DynamoDB returns the configuration of clients for DynamoDB and DynamoDB Streams.
func (i Info) DynamoDB() aws.Config { return i.config(i.Endpoints.DynamoDB) }

// AWS returns the configuration of clients for Kinesis, SQS and S3.
func (i Info) AWS() aws.Config { return i.config(i.Endpoints.AWS) }

func (i Info) config(endpoint string) aws.Config {
	return aws.Config{
		Region:       i.Region,
		BaseEndpoint: &endpoint,
		Credentials:  credentials.NewStaticCredentialsProvider(accessKey, secretKey, ""),
	}
}

// Drained reports whether the first changes of the tables since the start, so many of them, have been carried and
// every consumer is done with them. A consumer that does not read the stream from its beginning never is.
func (i Info) Drained(changes int64) bool {
	if i.Bridge == nil || i.Bridge.Read < changes || i.Bridge.Pending > 0 {
		return false
	}
	for _, m := range i.Mappings {
		if !m.Idle() || m.Read < i.Bridge.Written {
			return false
		}
	}
	return true
}

// version is that of the running program.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return info.Main.Version
}
