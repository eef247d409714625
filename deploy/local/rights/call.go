package rights

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"sluice/shared/consumertest/wire"
)

// Need is a right that a call needs.
type Need struct {
	Action   string // such as dynamodb:PutItem
	Resource string // an ARN
	Region   string // in which the call is made
}

// String tells the need in the words of a policy.
func (n Need) String() string { return n.Action + " on " + n.Resource }

// Account is whose resources calls are about, where they don't say.
type Account struct {
	ID     string
	Domain string // the name of the OpenSearch domain, which its URL doesn't tell
}

// credential is the part of a signature that tells where a call is made, and of which service:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html
var credential = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=[^/]+/\d+/([^/]+)/([^/]+)/aws4_request`)

// Needs returns the rights that a request needs, whose body is given. One that isn't signed needs none.
func (a Account) Needs(r *http.Request, body []byte) ([]Need, error) {
	signed := credential.FindStringSubmatch(r.Header.Get("Authorization"))
	if signed == nil {
		return nil, nil
	}
	c := call{Account: a, region: signed[1], service: signed[2], operation: wire.OperationOf(r, body), request: r, body: body}
	needs, err := c.needs()
	if err != nil {
		return nil, fmt.Errorf("which right %s %s %s of %s needs isn't known here: %w", r.Method, r.URL.Path, c.operation, c.service, err)
	}
	return needs, nil
}

type call struct {
	Account
	region, service, operation string
	request                    *http.Request
	body                       []byte
}

func (c call) needs() ([]Need, error) {
	switch c.service {
	case "dynamodb":
		return c.dynamoDB()
	case "sqs":
		return c.sqs()
	case "sns":
		return c.sns()
	case "s3":
		return c.s3()
	case "secretsmanager":
		var asked struct{ SecretId string }
		err := json.Unmarshal(c.body, &asked)
		return c.need(c.operation, asked.SecretId), err
	case "es":
		// https://docs.aws.amazon.com/opensearch-service/latest/developerguide/ac.html
		method := c.request.Method[:1] + strings.ToLower(c.request.Method[1:])
		return c.need("ESHttp"+method, c.arn("domain/"+c.Domain+c.request.URL.Path)), nil
	}
	return nil, fmt.Errorf("the service is none of dynamodb, es, s3, secretsmanager, sns, sqs")
}

func (c call) need(action, resource string) []Need {
	return []Need{{Action: c.service + ":" + action, Resource: resource, Region: c.region}}
}

func (c call) arn(resource string) string {
	return fmt.Sprintf("arn:aws:%s:%s:%s:%s", c.service, c.region, c.ID, resource)
}

// The actions of DynamoDB that are about one table.
var ofTable = []string{"DeleteItem", "DescribeTable", "GetItem", "PutItem", "Query", "Scan", "UpdateItem"}

// The parts of a transaction with the actions that they need:
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
var ofTransaction = map[string]string{
	"ConditionCheck": "ConditionCheckItem", "Delete": "DeleteItem", "Get": "GetItem", "Put": "PutItem", "Update": "UpdateItem",
}

func (c call) dynamoDB() ([]Need, error) {
	var asked struct {
		TableName, IndexName string
		TransactItems        []map[string]struct{ TableName string }
		RequestItems         map[string]json.RawMessage // by table
	}
	if err := json.Unmarshal(c.body, &asked); err != nil {
		return nil, err
	}
	table := func(name string) string {
		if strings.HasPrefix(name, "arn:") {
			return name
		}
		return c.arn("table/" + name)
	}
	switch {
	case slices.Contains(ofTable, c.operation) && asked.IndexName != "":
		return c.need(c.operation, table(asked.TableName)+"/index/"+asked.IndexName), nil
	case slices.Contains(ofTable, c.operation):
		return c.need(c.operation, table(asked.TableName)), nil
	case c.operation == "BatchGetItem" || c.operation == "BatchWriteItem":
		var needs []Need
		for _, name := range slices.Sorted(maps.Keys(asked.RequestItems)) {
			needs = append(needs, c.need(c.operation, table(name))...)
		}
		return needs, nil
	case c.operation == "TransactWriteItems" || c.operation == "TransactGetItems":
		var needs []Need
		for _, item := range asked.TransactItems {
			for part, of := range item {
				action, known := ofTransaction[part]
				if !known {
					return nil, fmt.Errorf("a transaction has a part %s", part)
				}
				needs = append(needs, c.need(action, table(of.TableName))...)
			}
		}
		return needs, nil
	}
	return nil, fmt.Errorf("the operation is none of %s, BatchGetItem, BatchWriteItem, TransactGetItems, TransactWriteItems", strings.Join(ofTable, ", "))
}

// sqs: a batch needs the right of what it is a batch of:
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
func (c call) sqs() ([]Need, error) {
	var asked struct{ QueueUrl string }
	if err := json.Unmarshal(c.body, &asked); err != nil {
		return nil, err
	}
	queue, err := url.Parse(asked.QueueUrl)
	if err != nil {
		return nil, err
	}
	account, name, ok := strings.Cut(strings.TrimPrefix(queue.Path, "/"), "/")
	if !ok {
		return nil, fmt.Errorf("%s is the URL of no queue", asked.QueueUrl)
	}
	c.ID = account
	return c.need(strings.TrimSuffix(c.operation, "Batch"), c.arn(name)), nil
}

// sns: a batch needs the right to publish:
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html
func (c call) sns() ([]Need, error) {
	form, err := url.ParseQuery(string(c.body))
	if err != nil {
		return nil, err
	}
	topic := form.Get("TopicArn")
	if topic == "" {
		return nil, fmt.Errorf("it names no TopicArn")
	}
	return c.need(strings.TrimSuffix(c.operation, "Batch"), topic), nil
}

// s3: without the right to list the bucket, S3 doesn't say that an object isn't there, but AccessDenied:
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
func (c call) s3() ([]Need, error) {
	actions := map[string]string{http.MethodGet: "GetObject", http.MethodHead: "GetObject", http.MethodPut: "PutObject"}
	action := actions[c.request.Method]
	bucket, key, ok := strings.Cut(strings.TrimPrefix(c.request.URL.Path, "/"), "/")
	if action == "" || !ok || key == "" {
		return nil, fmt.Errorf("it isn't the reading or writing of an object")
	}
	needs := c.need(action, "arn:aws:s3:::"+bucket+"/"+key)
	if action == "GetObject" {
		needs = append(needs, c.need("ListBucket", "arn:aws:s3:::"+bucket)...)
	}
	return needs, nil
}
