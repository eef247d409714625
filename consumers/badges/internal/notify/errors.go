package notify

import "errors"

var (
	// ErrNoTopicARN is returned for every notice if the topic's ARN is none of a topic.
	ErrNoTopicARN = errors.New("not the ARN of a topic")
	// ErrOtherRegion is returned for every notice if the client works in another region than the topic's.
	ErrOtherRegion = errors.New("the topic is in another region")
	// ErrTooLarge is the reason to reject a notice that SNS would take in no batch.
	ErrTooLarge = errors.New("too large to be published")
	// ErrNotConfirmed is returned for a notice that SNS' answer doesn't mention.
	ErrNotConfirmed = errors.New("SNS did not confirm the notice")
)
