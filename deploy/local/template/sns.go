package template

import (
	"encoding/json"
	"strings"
)

// Topic is an AWS::SNS::Topic.
type Topic struct {
	LogicalID string
	Name      string
	ARN       string
	// FIFO topics keep the order of a message group, and drop a message that repeats one of the last five minutes.
	FIFO bool
	// ContentBasedDeduplication makes a message that comes without an id a repeat of one with the same text.
	ContentBasedDeduplication bool
}

// Subscription is an AWS::SNS::Subscription of a queue, the only kind understood here.
type Subscription struct {
	LogicalID         string
	TopicARN          string
	QueueARN          string
	Raw               bool   // whether the queue gets a message as it was published, not in an envelope
	FilterPolicy      string // JSON; empty: no filter
	FilterPolicyScope string // MessageAttributes or MessageBody; empty: SNS's default, the former
}

// fifoSuffix is how the name of every FIFO topic and queue ends, and of no other.
const fifoSuffix = ".fifo"

var topicType = resourceType{
	nameProperty: "TopicName",
	fifoProperty: "FifoTopic",
	refer: func(s Scope, name string) (string, map[string]string) {
		arn := s.arn("sns", name)
		return arn, map[string]string{"TopicArn": arn, "TopicName": name}
	},
	decode: func(d decoder, r named, properties node, into *Resources) {
		p := d.object(properties, r.logicalID, []string{"TopicName", "FifoTopic", "ContentBasedDeduplication"},
			[]string{"DataProtectionPolicy", "DeliveryStatusLogging", "DisplayName", "FifoThroughputScope", "KmsMasterKeyId",
				"SignatureVersion", "Tags", "TracingConfig"})
		topic := Topic{
			LogicalID: r.logicalID, Name: r.name, ARN: r.ref,
			FIFO:                      d.boolean(p.get("FifoTopic"), r.logicalID+": FifoTopic", false),
			ContentBasedDeduplication: d.boolean(p.get("ContentBasedDeduplication"), r.logicalID+": ContentBasedDeduplication", false),
		}
		if topic.FIFO != strings.HasSuffix(topic.Name, fifoSuffix) {
			d.add(r.at, "%s: TopicName = %q must end in %s with FifoTopic true, and only then", r.logicalID, topic.Name, fifoSuffix)
		}
		if topic.ContentBasedDeduplication && !topic.FIFO {
			d.add(p.get("ContentBasedDeduplication").at, "%s: ContentBasedDeduplication must be given with FifoTopic true, and only then", r.logicalID)
		}
		into.Topics = append(into.Topics, topic)
	},
}

var subscriptionType = resourceType{
	// Its ARN has a part that SNS chooses.
	refer: func(Scope, string) (string, map[string]string) { return "", nil },
	decode: func(d decoder, r named, properties node, into *Resources) {
		id := r.logicalID
		p := d.object(properties, id, []string{"TopicArn", "Protocol", "Endpoint", "RawMessageDelivery", "FilterPolicy", "FilterPolicyScope"},
			// What becomes of a message that can't be delivered: a queue of this machine takes all.
			[]string{"DeliveryPolicy", "RedrivePolicy"})
		d.choice(p.get("Protocol"), id+": Protocol", "sqs")
		subscription := Subscription{
			LogicalID: id,
			TopicARN:  d.text(p.get("TopicArn"), id+": TopicArn"),
			QueueARN:  d.text(p.get("Endpoint"), id+": Endpoint"),
			Raw:       d.boolean(p.get("RawMessageDelivery"), id+": RawMessageDelivery", false),
		}
		if policy := p.get("FilterPolicy"); len(d.pairs(policy, id+": FilterPolicy")) > 0 {
			subscription.FilterPolicy = string(d.json(policy, id+": FilterPolicy"))
		}
		if scope := p.get("FilterPolicyScope"); scope.kind != null {
			subscription.FilterPolicyScope = d.choice(scope, id+": FilterPolicyScope", "MessageAttributes", "MessageBody")
		}
		into.Subscriptions = append(into.Subscriptions, subscription)
	},
}

// json returns a resolved value as JSON. A reference is a text there, as CloudFormation has it.
func (d decoder) json(n node, what string) json.RawMessage {
	var value any
	switch n.kind {
	case scalar:
		if value = n.text; n.bare {
			value = json.RawMessage(n.text)
		}
	case list:
		items := make([]json.RawMessage, len(n.items))
		for i, item := range n.items {
			items[i] = d.json(item, what)
		}
		value = items
	case object:
		fields := make(map[string]json.RawMessage, len(n.pairs))
		for _, p := range n.pairs {
			fields[p.key] = d.json(p.value, what)
		}
		value = fields
	}
	text, err := json.Marshal(value)
	if err != nil { // YAML knows ways to write a number that JSON doesn't
		d.add(n.at, "%s: %s is no value of JSON", what, n.text)
		return json.RawMessage("null")
	}
	return text
}
