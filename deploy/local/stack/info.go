package stack

import (
	"maps"
	"runtime/debug"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"sluice/deploy/local/bridge"
	"sluice/deploy/local/mapping"
	"sluice/deploy/local/mapping/function"
	"sluice/deploy/local/servers"
	"sluice/shared/sdkhttp"
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
	State     State     `json:"state"`
	Message   string    `json:"message,omitempty"` // the step that is under way, or why the stack failed
	Version   string    `json:"version"`           // of the program that runs it
	PID       int       `json:"pid"`               // of the process that runs it
	Started   time.Time `json:"started"`
	Updated   time.Time `json:"updated"` // when this was so
	RunDir    string    `json:"runDir"`
	Root      string    `json:"root"`                // the checkout that it runs
	Consumers []string  `json:"consumers,omitempty"` // that it was started with; none stands for every one of the checkout
	Region    string    `json:"region"`              // the home region, in which every consumer runs
	Endpoints Endpoints `json:"endpoints"`           // URLs; empty before the servers run
	AccessKey string    `json:"accessKey,omitempty"` // for this stack alone, but DynamoDB Local takes the key "sluice" as well
	Processes []Process `json:"processes,omitempty"`
	Health    *Health   `json:"health,omitempty"` // set by who has asked
	// Logs are the logs that are no server's, by what they tell of: stack, leaderboard, replication in eu-west-1.
	Logs map[string]string `json:"logs,omitempty"`
	// Parts are those of the home region.
	Parts
	Further map[string]Parts `json:"further,omitempty"` // the parts of the other regions in which consumers run, by region
}

// Parts are what runs in one region.
type Parts struct {
	// Outputs are those of each template, by its name (stream, orders, search) and the output's.
	Outputs   map[string]map[string]string `json:"outputs,omitempty"`
	Bridge    *bridge.Stats                `json:"bridge,omitempty"`
	Functions map[string]Function          `json:"functions,omitempty"` // those of the consumers, by consumer
	Mappings  map[string]mapping.Stats     `json:"mappings,omitempty"`  // by consumer
	// Lags are of each consumer's last batch that applied a change; nothing for one that hasn't yet.
	Lags map[string]Lag `json:"lags,omitempty"`
}

// Regions returns the regions in which consumers run, the home region first.
func (i Info) Regions() []string {
	return append([]string{i.Region}, slices.Sorted(maps.Keys(i.Further))...)
}

// In returns the parts of one of the Regions.
func (i Info) In(region string) Parts {
	if region == i.Region {
		return i.Parts
	}
	return i.Further[region]
}

// Endpoints are where the servers listen.
type Endpoints struct {
	DynamoDB   string `json:"dynamodb"`             // DynamoDB and DynamoDB Streams
	AWS        string `json:"aws"`                  // Kinesis, SQS, SNS and S3
	OpenSearch string `json:"openSearch,omitempty"` // empty if no consumer needs it
}

func (e *Endpoints) set(server *servers.Server, endpoint string) {
	switch server {
	case servers.DynamoDBLocal:
		e.DynamoDB = endpoint
	case servers.Ministack:
		e.AWS = endpoint
	case servers.OpenSearch:
		e.OpenSearch = endpoint
	}
}

// Function is a consumer's function: all that is needed to run its binary as its mapping does.
type Function struct {
	Binary    string        `json:"binary"`
	Source    string        `json:"source"` // the directory that it is built from
	ARN       string        `json:"arn"`
	Env       []string      `json:"env"` // holds the function's variables as "NAME=value"
	Timeout   time.Duration `json:"timeoutNs"`
	MemoryMB  int           `json:"memoryMB"`
	StreamARN string        `json:"streamArn"` // that its mapping reads
}

// Config is what runs the function of the consumer with a name, without its output.
func (f Function) Config(name string) function.Config {
	return function.Config{Name: name, Binary: f.Binary, ARN: f.ARN, Env: f.Env, Timeout: f.Timeout, MemoryMB: f.MemoryMB}
}

// Process is a server.
type Process struct {
	Name     string `json:"name"`
	PID      int    `json:"pid"`
	Endpoint string `json:"endpoint"`
	Log      string `json:"log"`
	// Restarts is how often it died and was started again. The log of the last that died has ".died" behind its name.
	Restarts int `json:"restarts,omitempty"`
}

const (
	secretKey = "sluice"       // no local server checks it
	accountID = "000000000000" // the account that ministack gives to a stack's access key
)

// DynamoDB configures clients for DynamoDB and DynamoDB Streams. With another Region it is for that one.
func (i Info) DynamoDB() aws.Config { return config(i.Region, i.Endpoints.DynamoDB, i.AccessKey) }

// AWS configures clients for Kinesis, SQS, SNS and S3. With another Region it is for that one.
func (i Info) AWS() aws.Config { return config(i.Region, i.Endpoints.AWS, i.AccessKey) }

func config(region, endpoint, accessKey string) aws.Config {
	return aws.Config{
		HTTPClient:   sdkhttp.New(),
		Region:       region,
		BaseEndpoint: &endpoint,
		Credentials:  credentials.NewStaticCredentialsProvider(accessKey, secretKey, ""),
	}
}

func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return "unknown"
}
