package notify

import (
	"fmt"
	"maps"
)

// MaxNoticeBytes is how large a notice gets, its attributes included. The limit
// holds for one message and for a batch of them, unless the topic has another:
// https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html
const MaxNoticeBytes = 256 << 10

// Notice is what a topic's subscribers get about one award.
type Notice struct {
	// ID is stable: a repeat carries the same. It is the message attribute id too, so
	// that the subscribers of a standard topic can drop repeats.
	ID string
	// Body is the message, a JSON object.
	Body []byte
	// The message attributes userId, badge, level and eventType, by which subscribers
	// filter. Empty ones are left out, since SNS refuses them.
	User, Badge, Level, EventType string
}

// attributes returns the message attributes, all of which are strings, without characters
// that keep SNS from delivering the message.
func (n *Notice) attributes() map[string]string {
	all := map[string]string{"id": n.ID, "userId": n.User, "badge": n.Badge, "level": n.Level, "eventType": n.EventType}
	for name, value := range all {
		all[name] = attributeText(value)
	}
	maps.DeleteFunc(all, func(_, value string) bool { return value == "" })
	return all
}

// attributeType is that of every attribute.
const attributeType = "String"

// size is what SNS counts: the message, and of each attribute the name, the type
// and the value; not what is outside of the message, such as its group:
// https://docs.aws.amazon.com/sns/latest/api/API_MessageAttributeValue.html
func (n *Notice) size() int {
	size := len(n.Body)
	for name, value := range n.attributes() {
		size += len(name) + len(attributeType) + len(value)
	}
	return size
}

// Check returns an ErrTooLarge if SNS takes the notice in no batch.
func (n *Notice) Check() error {
	if size := n.size(); size > MaxNoticeBytes {
		return fmt.Errorf("notice %s has %d bytes with its attributes, SNS takes at most %d: %w", n.ID, size, MaxNoticeBytes, ErrTooLarge)
	}
	return nil
}
