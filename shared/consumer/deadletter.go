package consumer

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"

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
		Error:    shorten(err.Err.Error(), maxError),
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
		letter.Table = shorten(r.Change.Table, maxName)
	}
	return letter
}

// How long the texts of a dead letter may be as they stand in a message, escapes included.
// All of a pointer together is far below MaxMessageBytes.
const (
	maxError        = 64 << 10
	maxPointerError = 4 << 10 // the body has it whole
	maxName         = 4 << 10 // 255 characters of a table's name, or 256 of a partition key, are less
)

// text returns the letter as JSON of ASCII characters alone. SQS takes some characters
// not even in a string of JSON: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
// Escaped they pass, and a reader of JSON sees no difference.
func (d *DeadLetter) text() (string, error) {
	text, err := json.Marshal(d)
	if err != nil {
		return "", fmt.Errorf("write dead letter: %w", err)
	}
	if !slices.ContainsFunc(text, func(c byte) bool { return c >= asciiEnd }) {
		return string(text), nil
	}
	ascii := make([]byte, 0, 2*len(text))
	for _, r := range string(text) {
		ascii = appendASCII(ascii, r)
	}
	return string(ascii), nil
}

// asciiEnd is DEL, the first character that is escaped for its own sake.
const asciiEnd = 0x7f

// appendASCII appends a character of a text in JSON, escaped if it isn't ASCII.
func appendASCII(dst []byte, r rune) []byte {
	switch {
	case r < asciiEnd:
		return append(dst, byte(r))
	case r > 0xffff:
		high, low := utf16.EncodeRune(r)
		return fmt.Appendf(dst, `\u%04x\u%04x`, high, low)
	}
	return fmt.Appendf(dst, `\u%04x`, r)
}

// escapedLen is how many bytes text makes of a character.
func escapedLen(r rune) int {
	const escape = len(`\u0000`)
	switch {
	case r > 0xffff:
		return 2 * escape
	case r < ' ' || r >= asciiEnd || strings.ContainsRune(`"\<>&`, r):
		return escape
	}
	return 1
}

// shorten cuts a text that would take more than limit bytes in a message, between two
// characters. What isn't UTF-8 is replaced.
func shorten(s string, limit int) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	n := 0
	for i, r := range s {
		if n += escapedLen(r); n > limit {
			return s[:i] + "…"
		}
	}
	return s
}

// pointer returns what stands in the queue for a letter whose body is elsewhere.
func (d *DeadLetter) pointer(body *Body) *DeadLetter {
	p := *d
	p.Data, p.Body = "", body
	p.Error = shorten(d.Error, maxPointerError)
	p.Table = shorten(d.Table, maxName)
	for _, name := range []*string{&p.Consumer, (*string)(&p.Reason), &p.Position.StreamARN, &p.Position.ShardID, &p.Position.SequenceNumber, &p.Position.PartitionKey} {
		*name = shorten(*name, maxName)
	}
	return &p
}

// barePointer is a pointer of which every character is safe in any queue.
func (d *DeadLetter) barePointer(body *Body) *DeadLetter {
	return &DeadLetter{
		Consumer: safe(d.Consumer), Reason: Reason(safe(string(d.Reason))), RejectedAt: d.RejectedAt, Body: body,
		Error: "the queue refused the content of this dead letter, which is whole in the bucket",
		Position: Position{
			StreamARN: safe(d.Position.StreamARN), ShardID: safe(d.Position.ShardID),
			SequenceNumber: safe(d.Position.SequenceNumber), Arrival: d.Position.Arrival,
		},
	}
}

// maxSafe is longer than a name that AWS gives.
const maxSafe = 256

// safe returns a name if it looks like one that AWS gives, and the hash of any other.
func safe(name string) string {
	odd := strings.ContainsFunc(name, func(r rune) bool {
		return r >= asciiEnd || r != ' ' && !strings.ContainsRune(":/-_.", r) && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	if !odd && len(name) <= maxSafe {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:])
}

// bodyKey names the S3 object of a letter. The same change always gets the
// same name, so that keeping it twice leaves one object.
func (d *DeadLetter) bodyKey() string {
	return safe(d.Consumer) + "/" + safe(d.Position.ShardID) + "/" + safe(d.Position.SequenceNumber) + ".json"
}

// IsAt reports whether the whole letter is the one that a pointer at this position is for.
func (d *DeadLetter) IsAt(p Position) bool {
	return slices.ContainsFunc([]*DeadLetter{d, d.pointer(nil), d.barePointer(nil)}, func(written *DeadLetter) bool {
		return written.Position == p
	})
}
