package rights_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"
	"github.com/opensearch-project/opensearch-go/v2"
	"github.com/opensearch-project/opensearch-go/v2/opensearchapi"
	"github.com/opensearch-project/opensearch-go/v2/signer/awsv2"

	"sluice/deploy/local/rights"
)

// judge is a client's HTTP client that takes requests as they would go out, and sends none.
type judge struct {
	needs []string
	errs  []error
}

var errNotSent = errors.New("not sent")

func (j *judge) Do(r *http.Request) (*http.Response, error) { return j.RoundTrip(r) }

func (j *judge) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	needs, err := rights.Account{ID: account, Domain: "search"}.Needs(r, body)
	if err != nil {
		j.errs = append(j.errs, err)
	}
	for _, n := range needs {
		j.needs = append(j.needs, n.String())
	}
	slices.Sort(j.needs)
	return nil, errNotSent
}

// What the SDK's clients send is known for the rights that it needs.
func TestNeeds(t *testing.T) {
	const region = "eu-west-1"
	table, index := aws.String("T"), aws.String("I")
	key := map[string]types.AttributeValue{"Id": &types.AttributeValueMemberS{Value: "x"}}
	for name, test := range map[string]struct {
		call func(ctx context.Context, cfg aws.Config) error
		want []string
	}{
		"item": {func(ctx context.Context, cfg aws.Config) error {
			_, err := dynamodb.NewFromConfig(cfg).UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: table, Key: key})
			return err
		}, []string{"dynamodb:UpdateItem on arn:aws:dynamodb:eu-west-1:000000000000:table/T"}},
		"index": {func(ctx context.Context, cfg aws.Config) error {
			_, err := dynamodb.NewFromConfig(cfg).Query(ctx, &dynamodb.QueryInput{TableName: table, IndexName: index})
			return err
		}, []string{"dynamodb:Query on arn:aws:dynamodb:eu-west-1:000000000000:table/T/index/I"}},
		"ARN of a table": {func(ctx context.Context, cfg aws.Config) error {
			_, err := dynamodb.NewFromConfig(cfg).GetItem(ctx, &dynamodb.GetItemInput{
				TableName: aws.String("arn:aws:dynamodb:eu-west-1:111111111111:table/U"), Key: key,
			})
			return err
		}, []string{"dynamodb:GetItem on arn:aws:dynamodb:eu-west-1:111111111111:table/U"}},
		"batch": {func(ctx context.Context, cfg aws.Config) error {
			of := types.KeysAndAttributes{Keys: []map[string]types.AttributeValue{key}}
			_, err := dynamodb.NewFromConfig(cfg).BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"T": of, "U": of}})
			return err
		}, []string{
			"dynamodb:BatchGetItem on arn:aws:dynamodb:eu-west-1:000000000000:table/T",
			"dynamodb:BatchGetItem on arn:aws:dynamodb:eu-west-1:000000000000:table/U",
		}},
		"transaction": {func(ctx context.Context, cfg aws.Config) error {
			other := aws.String("U")
			_, err := dynamodb.NewFromConfig(cfg).TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
				{Put: &types.Put{TableName: table, Item: key}},
				{Update: &types.Update{TableName: other, Key: key, UpdateExpression: aws.String("SET a = b")}},
				{Delete: &types.Delete{TableName: table, Key: key}},
				{ConditionCheck: &types.ConditionCheck{TableName: other, Key: key, ConditionExpression: aws.String("a = b")}},
			}})
			return err
		}, []string{
			"dynamodb:ConditionCheckItem on arn:aws:dynamodb:eu-west-1:000000000000:table/U",
			"dynamodb:DeleteItem on arn:aws:dynamodb:eu-west-1:000000000000:table/T",
			"dynamodb:PutItem on arn:aws:dynamodb:eu-west-1:000000000000:table/T",
			"dynamodb:UpdateItem on arn:aws:dynamodb:eu-west-1:000000000000:table/U",
		}},
		"messages": {func(ctx context.Context, cfg aws.Config) error {
			_, err := sqs.NewFromConfig(cfg).SendMessageBatch(ctx, &sqs.SendMessageBatchInput{
				QueueUrl: aws.String("https://sqs.eu-west-1.amazonaws.com/222222222222/Q"),
				Entries:  []sqstypes.SendMessageBatchRequestEntry{{Id: aws.String("0"), MessageBody: aws.String("text")}},
			})
			return err
		}, []string{"sqs:SendMessage on arn:aws:sqs:eu-west-1:222222222222:Q"}},
		"notices": {func(ctx context.Context, cfg aws.Config) error {
			_, err := sns.NewFromConfig(cfg).PublishBatch(ctx, &sns.PublishBatchInput{
				TopicArn:                   aws.String("arn:aws:sns:eu-west-1:000000000000:N"),
				PublishBatchRequestEntries: []snstypes.PublishBatchRequestEntry{{Id: aws.String("0"), Message: aws.String("text")}},
			})
			return err
		}, []string{"sns:Publish on arn:aws:sns:eu-west-1:000000000000:N"}},
		"object": {func(ctx context.Context, cfg aws.Config) error {
			client := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
			_, err := client.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("b"), Key: aws.String("some/key"), Body: strings.NewReader("text")})
			return err
		}, []string{"s3:PutObject on arn:aws:s3:::b/some/key"}},
		"object that may not be there": {func(ctx context.Context, cfg aws.Config) error {
			client := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
			_, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("b"), Key: aws.String("some/key")})
			return err
		}, []string{"s3:GetObject on arn:aws:s3:::b/some/key", "s3:ListBucket on arn:aws:s3:::b"}},
		"secret": {func(ctx context.Context, cfg aws.Config) error {
			_, err := secretsmanager.NewFromConfig(cfg).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{
				SecretId: aws.String("arn:aws:secretsmanager:eu-west-1:000000000000:secret:search-AbCdEf"),
			})
			return err
		}, []string{"secretsmanager:GetSecretValue on arn:aws:secretsmanager:eu-west-1:000000000000:secret:search-AbCdEf"}},
		"documents": {func(ctx context.Context, cfg aws.Config) error {
			signer, err := awsv2.NewSignerWithService(cfg, "es")
			if err != nil {
				return err
			}
			return bulk(ctx, cfg, opensearch.Config{Signer: signer})
		}, []string{"es:ESHttpPost on arn:aws:es:eu-west-1:000000000000:domain/search/_bulk"}},
		// OpenSearch asks whoever comes with a password for no right of AWS's.
		"documents with a password": {func(ctx context.Context, cfg aws.Config) error {
			return bulk(ctx, cfg, opensearch.Config{Username: "ann", Password: "one"})
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			j := &judge{}
			err := test.call(t.Context(), configOf(region, j))
			if !errors.Is(err, errNotSent) {
				t.Fatalf("the call: %v, want that it isn't sent", err)
			}
			if diff := cmp.Diff(test.want, j.needs); diff != "" || len(j.errs) > 0 {
				t.Errorf("faults %v, needs (-want +got):\n%s", j.errs, diff)
			}
		})
	}
}

func configOf(region string, j *judge) aws.Config {
	return aws.Config{
		Region: region, Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""), HTTPClient: j,
		Retryer: func() aws.Retryer { return aws.NopRetryer{} },
	}
}

func bulk(ctx context.Context, cfg aws.Config, config opensearch.Config) error {
	config.Addresses, config.Transport, config.DisableRetry = []string{"https://search.example"}, cfg.HTTPClient.(*judge), true
	client, err := opensearch.NewClient(config)
	if err != nil {
		return err
	}
	response, err := opensearchapi.BulkRequest{Body: bytes.NewReader([]byte("{}\n"))}.Do(ctx, client)
	if err == nil {
		response.Body.Close()
	}
	return err
}

// A call of which the right isn't known would be taken for one that needs none.
func TestUnknownCallIsAFault(t *testing.T) {
	for name, call := range map[string]func(ctx context.Context, cfg aws.Config) error{
		"operation": func(ctx context.Context, cfg aws.Config) error {
			_, err := dynamodb.NewFromConfig(cfg).ListTables(ctx, &dynamodb.ListTablesInput{})
			return err
		},
		"bucket": func(ctx context.Context, cfg aws.Config) error {
			_, err := s3.NewFromConfig(cfg).ListBuckets(ctx, &s3.ListBucketsInput{})
			return err
		},
	} {
		j := &judge{}
		if err := call(t.Context(), configOf("eu-west-1", j)); !errors.Is(err, errNotSent) {
			t.Fatalf("%s: %v, want that it isn't sent", name, err)
		}
		if len(j.errs) != 1 || !strings.Contains(j.errs[0].Error(), "isn't known here") || j.needs != nil {
			t.Errorf("%s: faults %v, needs %v; want one fault", name, j.errs, j.needs)
		}
	}
}
