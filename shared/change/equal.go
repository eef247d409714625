package change

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// EqualItems reports whether two items are the same, as DynamoDB means it: numbers are compared as numbers, sets without
// their order. An attribute of a type that is none of DynamoDB's equals nothing.
func EqualItems(a, b map[string]types.AttributeValue) bool { return maps.EqualFunc(a, b, Equal) }

// Equal reports whether two values are the same, as EqualItems compares them.
func Equal(a, b types.AttributeValue) bool {
	switch a := a.(type) {
	case *types.AttributeValueMemberS:
		b, ok := b.(*types.AttributeValueMemberS)
		return ok && a.Value == b.Value
	case *types.AttributeValueMemberN:
		b, ok := b.(*types.AttributeValueMemberN)
		return ok && plainNumber(a.Value) == plainNumber(b.Value)
	case *types.AttributeValueMemberB:
		b, ok := b.(*types.AttributeValueMemberB)
		return ok && bytes.Equal(a.Value, b.Value)
	case *types.AttributeValueMemberBOOL:
		b, ok := b.(*types.AttributeValueMemberBOOL)
		return ok && a.Value == b.Value
	case *types.AttributeValueMemberNULL:
		_, ok := b.(*types.AttributeValueMemberNULL)
		return ok
	case *types.AttributeValueMemberL:
		b, ok := b.(*types.AttributeValueMemberL)
		return ok && slices.EqualFunc(a.Value, b.Value, Equal)
	case *types.AttributeValueMemberM:
		b, ok := b.(*types.AttributeValueMemberM)
		return ok && EqualItems(a.Value, b.Value)
	}
	setA, typeA := setMembers(a)
	setB, typeB := setMembers(b)
	return typeA != 0 && typeA == typeB && slices.Equal(setA, setB)
}

// setMembers returns a set's members in one order and form, and the set's type; 0 if the value is no set.
func setMembers(v types.AttributeValue) (members []string, t Type) {
	switch v := v.(type) {
	case *types.AttributeValueMemberSS:
		members, t = slices.Clone(v.Value), SS
	case *types.AttributeValueMemberNS:
		for _, number := range v.Value {
			members = append(members, plainNumber(number))
		}
		t = NS
	case *types.AttributeValueMemberBS:
		for _, member := range v.Value {
			members = append(members, string(member))
		}
		t = BS
	}
	slices.Sort(members)
	return members, t
}

// plainNumber returns the one text that equal numbers have, and a text that is no number as it is.
func plainNumber(text string) string {
	number := strings.TrimPrefix(text, "+")
	if !validNumber([]byte(number)) {
		return text
	}
	return string(appendNumber(nil, []byte(number)))
}

// Difference is one value in which two items differ.
type Difference struct {
	Path string // like address.lines[2]
	A, B string // the values, cut to a few characters; "absent" where there is none
}

func (d Difference) String() string { return fmt.Sprintf("%s: %s, %s", d.Path, d.A, d.B) }

// Differences returns where two items differ, at most limit of them, in the order of their paths. Maps and lists are
// compared member by member.
func Differences(a, b map[string]types.AttributeValue, limit int) []Difference {
	f := &finder{limit: limit}
	f.members("", a, b)
	return f.found
}

type finder struct {
	limit int
	found []Difference
}

// members compares two maps. Their path is "" for whole items.
func (f *finder) members(path string, a, b map[string]types.AttributeValue) {
	names := slices.Concat(slices.Collect(maps.Keys(a)), slices.Collect(maps.Keys(b)))
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		at := name
		if name == "" || strings.ContainsAny(name, ".[]: ") {
			at = strconv.Quote(name)
		}
		if path != "" {
			at = path + "." + at
		}
		f.value(at, a[name], b[name])
	}
}

func (f *finder) value(path string, a, b types.AttributeValue) {
	if len(f.found) >= f.limit || a != nil && b != nil && Equal(a, b) {
		return
	}
	switch a := a.(type) {
	case *types.AttributeValueMemberM:
		if b, ok := b.(*types.AttributeValueMemberM); ok {
			f.members(path, a.Value, b.Value)
			return
		}
	case *types.AttributeValueMemberL:
		if b, ok := b.(*types.AttributeValueMemberL); ok {
			for i := range max(len(a.Value), len(b.Value)) {
				f.value(fmt.Sprintf("%s[%d]", path, i), memberAt(a.Value, i), memberAt(b.Value, i))
			}
			return
		}
	}
	f.found = append(f.found, Difference{path, Preview(a), Preview(b)})
}

func memberAt(list []types.AttributeValue, i int) types.AttributeValue {
	if i < len(list) {
		return list[i]
	}
	return nil
}

// previewed is how many characters of a text Preview shows, or bytes of a binary, and previewedMembers how many of a set.
const (
	previewed        = 60
	previewedMembers = 5
)

// Preview returns a value for people, like "ann", 13.1 or true: one line of bounded length. Control characters are
// escaped.
func Preview(v types.AttributeValue) string {
	switch v := v.(type) {
	case nil:
		return "absent"
	case *types.AttributeValueMemberS:
		return cut(v.Value)
	case *types.AttributeValueMemberN:
		return v.Value
	case *types.AttributeValueMemberB:
		return cutBytes(v.Value)
	case *types.AttributeValueMemberBOOL:
		return strconv.FormatBool(v.Value)
	case *types.AttributeValueMemberNULL:
		return "NULL"
	case *types.AttributeValueMemberM:
		return fmt.Sprintf("a map of %d", len(v.Value))
	case *types.AttributeValueMemberL:
		return fmt.Sprintf("a list of %d", len(v.Value))
	case *types.AttributeValueMemberSS:
		return setPreview(v.Value, cut)
	case *types.AttributeValueMemberNS:
		return setPreview(v.Value, func(number string) string { return number })
	case *types.AttributeValueMemberBS:
		return setPreview(v.Value, cutBytes)
	}
	return fmt.Sprintf("%T", v)
}

func cut(text string) string {
	short := fmt.Sprintf("%.*q", previewed, text)
	if full := len([]rune(text)); full > previewed {
		return fmt.Sprintf("%s… (%d characters)", short, full)
	}
	return short
}

func cutBytes(b []byte) string {
	if len(b) > previewed {
		return fmt.Sprintf("0x%x… (%d bytes)", b[:previewed], len(b))
	}
	return fmt.Sprintf("0x%x", b)
}

func setPreview[T any](members []T, preview func(T) string) string {
	var shown []string
	for _, member := range members {
		shown = append(shown, preview(member))
	}
	slices.Sort(shown)
	more := ""
	if len(shown) > previewedMembers {
		more, shown = fmt.Sprintf(", … (%d members)", len(shown)), shown[:previewedMembers]
	}
	return "{" + strings.Join(shown, ", ") + more + "}"
}
