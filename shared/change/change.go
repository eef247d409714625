package change

import (
	"fmt"
	"time"
)

// Kind says what happened to the item.
type Kind uint8

// The three kinds of change; the zero Kind is none of them.
const (
	Insert Kind = iota + 1
	Modify
	Remove
)

var kindNames = []string{Insert: "INSERT", Modify: "MODIFY", Remove: "REMOVE"}

// String returns the kind as the stream writes it: INSERT, MODIFY or REMOVE.
func (k Kind) String() string { return nameOf(kindNames, k, "Kind") }

// Precision says how finely the stream wrote a change's creation time. It may differ between changes of one shard.
type Precision uint8

// A record that states no precision is in milliseconds.
const (
	Millisecond Precision = iota
	Microsecond
)

var precisionNames = []string{Millisecond: "MILLISECOND", Microsecond: "MICROSECOND"}

// String returns the precision as the stream writes it: MILLISECOND or MICROSECOND.
func (p Precision) String() string { return nameOf(precisionNames, p, "Precision") }

// nameOf returns a value's name, or one like Kind(7) for a value that has none.
func nameOf[T ~uint8](names []string, v T, what string) string {
	if int(v) >= len(names) || names[v] == "" {
		return fmt.Sprintf("%s(%d)", what, uint8(v))
	}
	return names[v]
}

// UserIdentity says who made a change when it wasn't a user. It is zero for users' writes.
type UserIdentity struct {
	Type        string
	PrincipalID string
}

// A Change is one insert, modify or remove of one item.
//
// A Change that a Decoder returned belongs to it until its next Decode; one that Parse returned is its holder's for good.
// Nobody writes to a Change after it was decoded, so any number of goroutines may read it.
type Change struct {
	Table   string
	Region  string // of the table; empty if the record didn't say
	EventID string // a hint for people: a repeated change may carry another one, so it is no identity

	Kind      Kind
	Version   int64 // creation time in microseconds since 1970; milliseconds are multiplied out
	Precision Precision
	Identity  UserIdentity
	SizeBytes int64 // as the stream says; 0 if it didn't

	Keys Image // always there: one or two attributes of type S, N or B
	New  Image // there for Insert and Modify
	Old  Image // there for Modify, and nearly always for Remove: see LacksOld
}

// ByTTL reports whether DynamoDB itself deleted the item because its time to live had passed.
func (c *Change) ByTTL() bool {
	return c.Kind == Remove && c.Identity == UserIdentity{Type: "Service", PrincipalID: "dynamodb.amazonaws.com"}
}

// LacksOld reports whether this is a removal without the old image. DynamoDB itself always writes one. DynamoDB Local leaves
// it out now and then, when two writers delete one item at once. Keys and time are enough to remove a copy; whoever needs what
// the item held has to reject the change.
func (c *Change) LacksOld() bool { return c.Kind == Remove && !c.Old.Exists() }

// Time returns the creation time of the change, in UTC.
func (c *Change) Time() time.Time { return time.UnixMicro(c.Version).UTC() }
