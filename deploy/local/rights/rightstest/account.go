package rightstest

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"sluice/deploy/local/provision"
	"sluice/deploy/local/servers/servertest"
	"sluice/deploy/local/template"
)

// Account is an account of its own at the local servers.
type Account struct {
	ID            string
	dynamoDB, aws aws.Config
}

// NewAccount returns an account that is empty.
func NewAccount(t testing.TB) *Account {
	t.Helper()
	a := &Account{dynamoDB: servertest.DynamoDB(t), aws: servertest.Ministack(t)}
	// One account for all: DynamoDB Local takes any name for a database.
	a.dynamoDB.Credentials = a.aws.Credentials
	credentials, err := a.aws.Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	a.ID = credentials.AccessKeyID
	return a
}

// DynamoDB returns the configuration of clients for DynamoDB in a region; empty: where the function is.
func (a *Account) DynamoDB(region string) aws.Config { return in(a.dynamoDB, region) }

// AWS returns the configuration of clients for all other services.
func (a *Account) AWS() aws.Config { return a.aws }

func in(cfg aws.Config, region string) aws.Config {
	if region != "" {
		cfg.Region = region
	}
	return cfg
}

// Create makes what a template asks for in a region; empty: where the function is.
func (a *Account) Create(t testing.TB, path, region string, parameters map[string]string) {
	t.Helper()
	resources := a.resolve(t, path, region, parameters)
	a.create(t, resources, region)
}

func (a *Account) create(t testing.TB, resources *template.Resources, region string) {
	t.Helper()
	clients := provision.NewClients(a.DynamoDB(region), in(a.aws, region))
	if err := clients.Create(t.Context(), resources); err != nil {
		t.Fatal(err)
	}
}

// resolve reads and resolves a template. The stream's ARN it gives itself, if there is a parameter for that.
func (a *Account) resolve(t testing.TB, path, region string, parameters map[string]string) *template.Resources {
	t.Helper()
	read, err := template.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return a.resolveRead(t, read, region, parameters)
}

func (a *Account) resolveRead(t testing.TB, read *template.Template, region string, parameters map[string]string) *template.Resources {
	t.Helper()
	region = in(a.aws, region).Region
	given := read.MakesTables()
	for _, p := range read.Parameters {
		if value, ok := parameters[p.Name]; ok {
			given[p.Name] = value
		} else if p.Name == "StreamName" {
			given[p.Name] = "changes"
		} else if p.Name == "StreamArn" {
			given[p.Name] = "arn:aws:kinesis:" + region + ":" + a.ID + ":stream/changes"
		}
	}
	resources, err := read.Resolve(template.Scope{
		// Buckets' names are those of all accounts.
		StackName: "rights-" + a.ID, Region: region, AccountID: a.ID, Parameters: given, QueueEndpoint: *a.aws.BaseEndpoint,
	})
	if err != nil {
		t.Fatal(err)
	}
	return resources
}
