package consumer

import (
	"time"

	"sluice/shared/change"
)

// DeadLetter is a change that could not be applied, kept whole. This is the
// JSON that stands in the dead-letter queue; a letter larger than a message
// may be has no Data there but a Body that tells where the whole letter lies.
type DeadLetter struct {
	Consumer   string    `json:"consumer"`
	Reason     Reason    `json:"reason"`
	Error      string    `json:"error"`
	Table      string    `json:"table,omitempty"` // empty if the record could not be decoded
	Position   Position  `json:"position"`
	RejectedAt time.Time `json:"rejectedAt"`
	// Data is the record exactly as the stream carried it, in base64.
	Data string `json:"data,omitempty"`
	Body *Body  `json:"body,omitempty"`
}

// Position is where a change stood in the stream.
type Position struct {
	StreamARN      string    `json:"streamArn"`
	ShardID        string    `json:"shardId"`
	SequenceNumber string    `json:"sequenceNumber"`
	PartitionKey   string    `json:"partitionKey"`
	Arrival        time.Time `json:"arrival"`
}

// Body is the S3 object that holds a dead letter too large for the queue.
type Body struct {
	Bucket string `json:"bucket"`
	Key    string `json:"key"`
}

// newDeadLetter keeps the record r, which consumer could not apply because of err.
func newDeadLetter(consumer string, r *change.Record, err *Rejection, now time.Time) DeadLetter {
	letter := DeadLetter{
		Consumer: consumer,
		Reason:   err.Reason,
		Error:    err.Err.Error(),
		Position: Position{
			StreamARN:      r.StreamARN,
			ShardID:        r.ShardID,
			SequenceNumber: r.SequenceNumber,
			PartitionKey:   r.PartitionKey,
			Arrival:        r.Arrival.UTC(),
		},
		RejectedAt: now.UTC(),
		Data:       string(r.Encoded),
	}
	if r.Change != nil {
		letter.Table = r.Change.Table
	}
	return letter
}

// bodyKey names the S3 object of a letter. The same change always gets the
// same name, so that keeping it twice leaves one object.
func (d *DeadLetter) bodyKey() string {
	return d.Consumer + "/" + d.Position.ShardID + "/" + d.Position.SequenceNumber + ".json"
}
