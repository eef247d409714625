package template

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"sluice/shared/consumer"
)

const functionType = "AWS::Serverless::Function"

// retentionHours is the parameter of a template that says how long the stream keeps a change.
const retentionHours = "RetentionHours"

// Check returns the faults of a template that CloudFormation would accept, but that would lose changes or data, or make a
// consumer forget a change too early. Faults are of type [*Error], joined; the faults that Resolve finds are among them.
//
// Parameters have their defaults; a parameter without a default has some value. The stream keeps a change for retention,
// unless the template has the stream and says otherwise. A template with the parameter RetentionHours is checked with
// retention, and then with each other value that the parameter allows.
func (t *Template) Check(retention time.Duration) error {
	if err := t.check(retention); err != nil {
		return err
	}
	for _, p := range t.Parameters {
		if p.Name != retentionHours {
			continue
		}
		for _, hours := range p.allowed {
			number, err := strconv.Atoi(hours)
			if err != nil {
				return &Error{Path: t.Path, Line: p.at.line, Column: p.at.column, Message: retentionHours + " allows " + hours + ", which is no number of hours"}
			}
			if err := t.check(time.Duration(number) * time.Hour); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *Template) check(retention time.Duration) error {
	found := &faults{path: t.Path}
	given := map[string]string{}
	for _, p := range t.Parameters {
		switch {
		case p.Name == retentionHours:
			given[p.Name] = strconv.Itoa(int(retention.Hours()))
		case p.Default == nil:
			given[p.Name] = p.some()
		}
	}
	checked := *t
	checked.Parameters = slices.Clone(t.Parameters)
	for i := range checked.Parameters {
		if p := &checked.Parameters[i]; p.Default == nil {
			p.pattern = nil // the value that it has here is made up
		}
	}
	r := checked.resolver(Scope{StackName: "stack", Region: "us-east-1", AccountID: "000000000000", Parameters: given}, found)
	r.resources(&checked)
	c := checker{r.decoder, r, retention}
	for _, p := range t.resources.pairs {
		resource, known := r.named[p.key]
		if !known {
			continue
		}
		properties := r.resolve(resource.properties)
		if resource.kind == functionType {
			c.function(p.key, properties)
		}
		c.survives(resource, properties)
	}
	return found.err()
}

func (p Parameter) some() string {
	switch {
	case len(p.allowed) > 0:
		return p.allowed[0]
	case p.min != nil:
		return strconv.FormatFloat(*p.min, 'f', -1, 64)
	case p.max != nil:
		return strconv.FormatFloat(*p.max, 'f', -1, 64)
	}
	return "1"
}

type checker struct {
	decoder
	resolver  *resolver
	retention time.Duration
}

func (c checker) function(id string, properties node) {
	variables := properties.get("Environment").get("Variables")
	for _, event := range properties.get("Events").pairs {
		mapping := event.value.get("Properties")
		what := id + ": event " + event.key
		c.answers(what, event.at, mapping)
		c.starts(what, mapping)
		c.retries(what, mapping, variables, c.retentionOf(mapping))
		destination := mapping.get("DestinationConfig").get("OnFailure").get("Destination")
		if destination.kind == null {
			c.add(event.at, "%s must have an OnFailure destination: without one Lambda drops records that it gives up, and nobody hears of it", what)
		}
		c.horizon(what, mapping, destination, variables)
	}
}

// answers checks that Lambda reads the function's answer:
// https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
func (c checker) answers(what string, at position, mapping node) {
	types := mapping.get("FunctionResponseTypes")
	for _, item := range types.items {
		if item.text == "ReportBatchItemFailures" {
			return
		}
	}
	if types.kind != null {
		at = types.at
	}
	c.add(at, "%s must have FunctionResponseTypes: [ReportBatchItemFailures]: without it Lambda ignores the answer, and drops what failed", what)
}

// starts checks that a new mapping begins with the oldest record. With LATEST, a mapping misses what is written while it
// is made or changed: https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html
func (c checker) starts(what string, mapping node) {
	if position := mapping.get("StartingPosition"); position.text == string(Latest) {
		c.add(position.at, "%s: StartingPosition must be TRIM_HORIZON, not LATEST: Lambda misses changes that are written while it makes or updates the mapping", what)
	}
}

// retries checks that Lambda delivers a change as long as the stream keeps it, and that the consumer gives up a failing
// change before that: https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html
func (c checker) retries(what string, mapping, variables node, retention time.Duration) {
	attempts, age := mapping.get("MaximumRetryAttempts"), mapping.get("MaximumRecordAgeInSeconds")
	if attempts.kind != null && attempts.text != "-1" {
		c.add(attempts.at, "%s: MaximumRetryAttempts = %s must be -1: a destination that is down for that many attempts would lose all changes but their positions", what, attempts.text)
	}
	if limit, limited := seconds(age); limited && limit < retention {
		c.add(age.at, "%s: MaximumRecordAgeInSeconds = %s must be -1, or at least the stream's retention of %v: Lambda keeps only the positions of older changes, "+
			"after a mapping was disabled for longer, and for a consumer that is new on an older stream", what, age.text, retention)
	}
	variable := variables.get(giveUpAge)
	giveUp := consumer.DefaultGiveUpAge
	if variable.kind != null {
		var err error
		if giveUp, err = time.ParseDuration(variable.text); err != nil {
			c.add(variable.at, "%s = %q must be a time like 167h", giveUpAge, variable.text)
			return
		}
	}
	if giveUp >= retention {
		c.add(variable.at, "%s: %s = %v must be less than the stream's retention of %v: at that age the stream forgets the change, and nobody has it",
			what, giveUpAge, giveUp, retention)
	}
}

// Deletion policies with which CloudFormation leaves a resource of a deleted stack:
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
var retains = []string{"Retain", "RetainExceptOnCreate"}

// holdsData has the types of resources whose data nobody can make again.
var holdsData = []string{tableType, "AWS::Kinesis::Stream", "AWS::SQS::Queue", "AWS::S3::Bucket", "AWS::SNS::Topic"}

// survives checks that a resource with data outlives its stack and its replacement, and that a table can be restored.
func (c checker) survives(resource named, properties node) {
	if !slices.Contains(holdsData, resource.kind) {
		return
	}
	id := resource.logicalID
	if !slices.Contains(retains, resource.deletion) {
		c.add(resource.at, "%s (%s) must have DeletionPolicy: RetainExceptOnCreate, or Retain: a stack that is deleted would take its data along", id, resource.kind)
	}
	if resource.replacement != "Retain" {
		c.add(resource.at, "%s (%s) must have UpdateReplacePolicy: Retain: an update that replaces it would delete its data", id, resource.kind)
	}
	if resource.kind != tableType {
		return
	}
	if properties.get("PointInTimeRecoverySpecification").get("PointInTimeRecoveryEnabled").text != "true" {
		c.add(resource.at, "%s must have PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}, which a parameter may turn off: without it nobody can restore what a faulty program overwrites", id)
	}
	if properties.get("DeletionProtectionEnabled").text != "true" {
		c.add(resource.at, "%s must have DeletionProtectionEnabled: true, which a parameter may turn off: without it one call deletes the table", id)
	}
	if changes := properties.get("KinesisStreamSpecification"); changes.kind != null && changes.get("ApproximateCreationDateTimePrecision").text != "MICROSECOND" {
		c.add(changes.at, "%s must have ApproximateCreationDateTimePrecision: MICROSECOND: changes of one item within a millisecond can't be told apart", id)
	}
}

// The settings of package consumer, and of every consumer, that a template has to suit.
const (
	giveUpAge = "GIVE_UP_AGE"
	horizon   = "HORIZON"
)

// horizon checks that what a consumer remembers outlives every change that may still come from the stream or from a dead letter.
func (c checker) horizon(what string, mapping, destination, variables node) {
	variable := variables.get(horizon)
	if variable.kind == null {
		return
	}
	remembers, err := time.ParseDuration(variable.text)
	if err != nil {
		c.add(variable.at, "%s = %q must be a time like 384h", horizon, variable.text)
		return
	}
	retention, letters := c.retentionOf(mapping), time.Duration(0)
	for _, resource := range c.resolver.named {
		if resource.kind == "AWS::SQS::Queue" && resource.attributes["Arn"] == destination.text {
			properties := c.resolver.resolve(resource.properties)
			// The default of SQS: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
			letters = c.seconds(properties.get("MessageRetentionPeriod"), resource.logicalID+": MessageRetentionPeriod", 345600, 60, 1209600)
		}
	}
	if remembers <= retention+letters {
		c.add(variable.at, "%s: %s = %v must be more than the stream's retention and the dead letters' life together, %v + %v: nobody could tell any more whether a change that comes again after that is a duplicate",
			what, horizon, remembers, retention, letters)
	}
}

func (c checker) retentionOf(mapping node) time.Duration {
	for _, resource := range c.resolver.named {
		if resource.kind == "AWS::Kinesis::Stream" && resource.attributes["Arn"] == mapping.get("Stream").text {
			return c.decoder.retention(c.resolver.resolve(resource.properties).get("RetentionPeriodHours"), resource.logicalID)
		}
	}
	return c.retention
}

// seconds returns a limit in seconds; none if there is no value or it is -1.
func seconds(n node) (time.Duration, bool) {
	number, err := strconv.Atoi(n.text)
	return time.Duration(number) * time.Second, err == nil && number >= 0
}

// Find returns the paths of the templates of a checkout: those of the whole, of deploy and of the consumers, sorted.
func Find(root string) ([]string, error) {
	var paths []string
	for _, pattern := range []string{"template.yaml", "deploy/*.yaml", "consumers/*/*.yaml", "consumers/*/example/*.yaml"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return nil, err
		}
		for _, path := range found {
			text, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			// Declarations are YAML too.
			if bytes.HasPrefix(text, []byte("AWSTemplateFormatVersion")) {
				paths = append(paths, path)
			}
		}
	}
	slices.Sort(paths)
	return paths, nil
}
