package template

import (
	"strconv"
	"time"

	"sluice/shared/consumer"
)

// functionType is the type of a consumer's function.
const functionType = "AWS::Serverless::Function"

// Check tells what in the template would make a consumer lose changes, or not know them again: CloudFormation would
// take it. Faults are of type [*Error], joined; those that Resolve finds are among them.
//
// Parameters have their defaults, and one without a default has some value. The stream keeps a change for retention,
// unless the template has the stream and says otherwise.
func (t *Template) Check(retention time.Duration) error {
	found := &faults{path: t.Path}
	given := map[string]string{}
	for _, p := range t.Parameters {
		if p.Default == nil {
			given[p.Name] = p.some()
		}
	}
	r := t.resolver(Scope{StackName: "stack", Region: "us-east-1", AccountID: "000000000000", Parameters: given}, found)
	r.resources(t)
	c := checker{decoder{found}, r, retention}
	for _, p := range t.resources.pairs {
		if function, known := r.named[p.key]; known && function.kind == functionType {
			c.function(p.key, r.resolve(function.properties))
		}
	}
	return found.err()
}

// some returns a value that the parameter may have.
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

// checker looks at functions for what their mappings and settings must have.
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
		c.retries(what, event.at, mapping, variables)
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

// retries checks when Lambda gives up a record, which must be after the consumer has:
// https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html
func (c checker) retries(what string, at position, mapping, variables node) {
	attempts, age := mapping.get("MaximumRetryAttempts"), mapping.get("MaximumRecordAgeInSeconds")
	limit, limited := seconds(age)
	switch endless := attempts.kind == null || attempts.text == "-1"; {
	case !endless:
		c.add(attempts.at, "%s: MaximumRetryAttempts = %s must be -1: a destination that is down for that many attempts would lose all changes but their positions", what, attempts.text)
	case !limited:
		if age.kind != null {
			at = age.at
		}
		c.add(at, "%s tries without end, so it must have a MaximumRecordAgeInSeconds: a record that always fails would block its shard until the stream forgets it", what)
	}
	if !limited {
		return
	}
	variable := variables.get(giveUpAge)
	giveUp := consumer.DefaultGiveUpAge
	if variable.kind != null {
		var err error
		if giveUp, err = time.ParseDuration(variable.text); err != nil {
			c.add(variable.at, "%s = %q must be a time like 23h", giveUpAge, variable.text)
			return
		}
		age.at = variable.at
	}
	if giveUp >= limit {
		c.add(age.at, "%s: %s = %v must be less than MaximumRecordAgeInSeconds = %v: at that age Lambda drops the record and keeps only its position",
			what, giveUpAge, giveUp, limit)
	}
}

// The settings of package consumer, and of every consumer, that a template has to suit.
const (
	giveUpAge = "GIVE_UP_AGE"
	horizon   = "HORIZON"
)

// horizon checks that what a consumer remembers outlives every change that may still come: from the stream, or, at
// the end of its days there, from a dead letter.
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
	retention, letters := c.retention, time.Duration(0)
	for _, resource := range c.resolver.named {
		properties := c.resolver.resolve(resource.properties)
		switch {
		case resource.kind == "AWS::Kinesis::Stream" && resource.attributes["Arn"] == mapping.get("Stream").text:
			retention = c.decoder.retention(properties.get("RetentionPeriodHours"), resource.logicalID)
		case resource.kind == "AWS::SQS::Queue" && resource.attributes["Arn"] == destination.text:
			// The default of SQS: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
			letters = c.seconds(properties.get("MessageRetentionPeriod"), resource.logicalID+": MessageRetentionPeriod", 345600, 60, 1209600)
		}
	}
	if remembers <= retention+letters {
		c.add(variable.at, "%s: %s = %v must be more than the stream's retention and the dead letters' life together, %v + %v: nobody could tell any more whether a change that comes again after that is a duplicate",
			what, horizon, remembers, retention, letters)
	}
}

// seconds returns a limit in seconds; none if there is no value or it is -1.
func seconds(n node) (time.Duration, bool) {
	number, err := strconv.Atoi(n.text)
	return time.Duration(number) * time.Second, err == nil && number >= 0
}
