package rights

import (
	"fmt"
	"slices"

	"sluice/deploy/local/template"
)

// Grant is a pair of a statement: an action, and a resource on which it is allowed.
type Grant struct{ Action, Resource string }

// String tells the pair in the words of a policy.
func (g Grant) String() string { return g.Action + " on " + g.Resource }

// Use is what uses a key in a function's name.
type Use string

// The uses, each with the actions on the key that it needs.
const (
	ForTables Use = "tables" // that the function calls
	ForQueues Use = "queues" // and buckets and topics, to which it sends
	ForStream Use = "stream" // that its mapping reads
)

// keyActions are, by use, those of AWS's documentation:
//   - https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
//   - https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html,
//     https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html and
//     https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
//   - https://docs.aws.amazon.com/streams/latest/dev/permissions-user-key-KMS.html
var keyActions = map[Use][]string{
	ForTables: {"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"},
	ForQueues: {"kms:Decrypt", "kms:GenerateDataKey"},
	ForStream: {"kms:Decrypt"},
}

// What a mapping does to its stream, and to its own consumer of the stream if it has one:
// https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-create.html
var mappingActions = []string{
	"kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards",
}

// logActions are what Lambda does to the log group of a function:
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html
// Whoever has the template make the group needs no logs:CreateLogGroup.
var logActions = []string{"logs:CreateLogStream", "logs:PutLogEvents"}

// networkActions are what Lambda does in the name of a function within a VPC:
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
var networkActions = []string{
	"ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:DeleteNetworkInterface",
	"ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses",
}

// OfLambda returns what a function's role has to allow beside its calls, for Lambda and for services that use keys, by ARN.
func OfLambda(r *template.Resources, f template.Function, region, account string, keys map[string][]Use) ([]Grant, error) {
	if f.LogGroup == "" {
		return nil, fmt.Errorf("function %s has no LoggingConfig with a LogGroup of the template: Lambda's own would be kept for ever", f.LogicalID)
	}
	grants := pair(logActions, fmt.Sprintf("arn:aws:logs:%s:%s:log-group:%s:*", region, account, f.LogGroup))
	if f.InVPC {
		grants = append(grants, pair(networkActions, "*")...)
	}
	for _, m := range f.Mappings {
		grants = append(grants, pair(mappingActions, m.Stream)...)
	}
	for _, reader := range r.StreamConsumers {
		grants = append(grants, Grant{"kinesis:SubscribeToShard", reader.ARN})
	}
	for key, uses := range keys {
		for _, use := range uses {
			grants = append(grants, pair(keyActions[use], key)...)
		}
	}
	return grants, nil
}

func pair(actions []string, resource string) []Grant {
	var grants []Grant
	for _, action := range actions {
		grants = append(grants, Grant{action, resource})
	}
	return grants
}

func roleOf(r *template.Resources, f template.Function) (template.Role, error) {
	i := slices.IndexFunc(r.Roles, func(role template.Role) bool { return role.ARN == f.Role })
	if i < 0 || f.Role == "" {
		return template.Role{}, fmt.Errorf("function %s has no Role of the template: the one that SAM makes may read every stream and write every log of the account", f.LogicalID)
	}
	return r.Roles[i], nil
}
