// Package mark has the version that a copied item carries, so that an older
// change never overwrites a newer one.
//
// # Guarantees
//
//   - Marks of the changes of one item stand in the order of the changes, as far as their times
//     tell it. Of two changes at one time every destination finds the same one newer (TestOrder,
//     TestTies).
//   - The same change has the same mark, however often and in whatever form it comes. The form of
//     marks is stable: they are stored (TestOrder, TestMarkTellsImagesApart, TestStoredShared of
//     consumers/replication).
//   - DynamoDB compares marks as this package does: byte by byte (TestOrder).
//
// # Not guaranteed
//
//   - That of two changes of one item at one time the one that happened later is
//     the newer: nobody can tell. In microseconds that is rare, in milliseconds
//     it isn't.
package mark

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/shared/change"
)

// Attribute is the attribute of a copied item that holds what replication knows
// of it: a map with the mark under Field. It is reserved in every table that is
// copied.
const Attribute = "Sluice"

// Field is where in Attribute the mark stands, as binary.
const Field = "m"

// Mark is where a change stands among the changes of its item in all regions: 7
// bytes of hybrid logical clock and 7 of creation time, both big-endian in
// microseconds, 5 of a hash, and the name of the region in which it was made.
// Marks compare with < and ==. The empty Mark is older than all others.
type Mark string

const (
	timeBytes = 7
	hashBytes = 5
	fixed     = timeBytes + timeBytes + hashBytes
)

// New returns the mark of a change: clock and created are in microseconds, hash
// tells it from others made at that time, of which 5 bytes count.
func New(clock, created int64, hash uint64, region string) Mark {
	b := make([]byte, 0, fixed+len(region))
	b = appendTail(b, uint64(clock), timeBytes)
	b = appendTail(b, uint64(created), timeBytes)
	b = appendTail(b, hash, hashBytes)
	return Mark(append(b, region...))
}

// Of returns the mark of a change made in a region where nobody writes what
// others wrote: its clock is the creation time.
func Of(c *change.Change, region string) Mark {
	return New(c.Version, c.Version, c.Hash(), region)
}

// appendTail appends the last n bytes of v.
func appendTail(b []byte, v uint64, n int) []byte {
	var word [8]byte
	binary.BigEndian.PutUint64(word[:], v)
	return append(b, word[8-n:]...)
}

// Clock returns the hybrid logical clock in microseconds.
func (m Mark) Clock() int64 { return m.time(0) }

// Created returns the creation time of the change in microseconds.
func (m Mark) Created() int64 { return m.time(timeBytes) }

// Region returns the name of the region in which the change was made.
func (m Mark) Region() string {
	if len(m) < fixed {
		return ""
	}
	return string(m[fixed:])
}

func (m Mark) time(at int) int64 {
	var word [8]byte
	if len(m) >= fixed {
		copy(word[8-timeBytes:], m[at:])
	}
	return int64(binary.BigEndian.Uint64(word[:]))
}

// Ties tells whether two marks are of different changes at one time, so that
// only the hash tells which is newer.
func (m Mark) Ties(o Mark) bool {
	const times = 2 * timeBytes
	return m != o && len(m) >= fixed && len(o) >= fixed && m[:times] == o[:times]
}

// Value returns the mark as an attribute value.
func (m Mark) Value() types.AttributeValue {
	return &types.AttributeValueMemberB{Value: []byte(m)}
}

// FromValue reads a mark.
func FromValue(v types.AttributeValue) (Mark, error) {
	b, ok := v.(*types.AttributeValueMemberB)
	if !ok || len(b.Value) < fixed {
		return "", ErrForeign
	}
	return Mark(b.Value), nil
}

// ErrForeign is returned for an attribute of the reserved name that replication
// didn't write.
var ErrForeign = errors.New("not written by replication")

// In returns the mark that an item carries, or the empty one if it has none.
func In(item map[string]types.AttributeValue) (Mark, error) {
	attribute, ok := item[Attribute]
	if !ok {
		return "", nil
	}
	fields, ok := attribute.(*types.AttributeValueMemberM)
	if !ok {
		return "", fmt.Errorf("attribute %s: %w", Attribute, ErrForeign)
	}
	m, err := FromValue(fields.Value[Field])
	if err != nil {
		return "", fmt.Errorf("attribute %s.%s: %w", Attribute, Field, err)
	}
	return m, nil
}

// InImage is In for an image of a change.
func InImage(image change.Image) (Mark, error) {
	attribute, ok := image.Get(Attribute)
	if !ok {
		return "", nil
	}
	for name, v := range attribute.Map() {
		if name == Field && v.Type() == change.B && v.Len() >= fixed {
			return Mark(v.Bytes()), nil
		}
	}
	return "", fmt.Errorf("attribute %s: %w", Attribute, ErrForeign)
}
