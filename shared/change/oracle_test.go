package change

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// The oracle reads a record with encoding/json, slowly and by other means than Parse: what is it that Parse must make of it?

type oracleChange struct {
	Table, Region, EventID, Kind, Precision string
	Version, SizeBytes                      int64
	Identity                                UserIdentity
	Keys, New, Old                          map[string]types.AttributeValue
}

var errOracle = errors.New("the oracle refuses it")

func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errOracle, fmt.Sprintf(format, args...))
}

// validText reports whether data is JSON in which every string means something: UTF-8 and no halves of surrogate pairs,
// where encoding/json by itself would put in U+FFFD.
func validText(data []byte) bool {
	if !json.Valid(data) || !utf8.Valid(data) {
		return false
	}
	var high rune
	for i := 0; i < len(data); i++ {
		var unit rune
		if data[i] == '\\' { // stands in strings only
			if i++; data[i] == 'u' {
				n, _ := strconv.ParseUint(string(data[i+1:i+5]), 16, 16)
				unit = rune(n)
				i += 4
			}
		}
		switch {
		case high != 0 && utf16.DecodeRune(high, unit) == utf8.RuneError:
			return false
		case high != 0:
			high = 0
		case utf16.IsSurrogate(unit):
			if high = unit; high >= 0xdc00 {
				return false
			}
		}
	}
	return true
}

// oracleObject splits an object into its members. A name in once may come only once; nil stands for all names.
func oracleObject(raw json.RawMessage, once ...string) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, refuse("no object: %.20q", raw)
	}
	out := map[string]json.RawMessage{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		if _, repeated := out[name.(string)]; repeated {
			for _, n := range once {
				if n == name {
					return nil, refuse("%q repeats", name)
				}
			}
			if once == nil {
				return nil, refuse("%q repeats", name)
			}
		}
		out[name.(string)] = value
	}
	return out, nil
}

func isNull(raw json.RawMessage) bool { return raw == nil || string(raw) == "null" }

func oracleString(raw json.RawMessage) (string, error) {
	var s *string
	if err := json.Unmarshal(raw, &s); err != nil || s == nil {
		return "", refuse("no string: %.20q", raw)
	}
	return *s, nil
}

func oracleRecord(data []byte) (*oracleChange, error) {
	if !validText(data) {
		return nil, refuse("no JSON text")
	}
	top, err := oracleObject(data, "awsRegion", "eventID", "eventName", "userIdentity", "tableName", "dynamodb")
	if err != nil {
		return nil, err
	}
	body, err := oracleObject(top["dynamodb"],
		"ApproximateCreationDateTime", "ApproximateCreationDateTimePrecision", "Keys", "NewImage", "OldImage", "SizeBytes")
	if err != nil {
		return nil, err
	}
	c := new(oracleChange)
	read := func(dst *string, raw json.RawMessage, nullable bool) {
		if err == nil && (!nullable || !isNull(raw)) {
			*dst, err = oracleString(raw)
		}
	}
	whole := func(dst *int64, raw json.RawMessage, nullable bool) {
		if err != nil || nullable && isNull(raw) {
			return
		}
		if !regexp.MustCompile(`^[0-9]{1,18}$`).Match(raw) {
			err = refuse("no whole number: %.20q", raw)
			return
		}
		*dst, err = strconv.ParseInt(string(raw), 10, 64)
	}
	image := func(dst *map[string]types.AttributeValue, raw json.RawMessage) {
		if err == nil && !isNull(raw) {
			*dst, err = oracleAttributes(raw)
		}
	}
	read(&c.Region, top["awsRegion"], true)
	read(&c.EventID, top["eventID"], true)
	read(&c.Table, top["tableName"], true)
	read(&c.Kind, top["eventName"], false)
	if raw := top["userIdentity"]; !isNull(raw) && err == nil {
		var m map[string]json.RawMessage
		if m, err = oracleObject(raw, "type", "Type", "principalId", "PrincipalId"); err == nil {
			if m["type"] != nil && m["Type"] != nil || m["principalId"] != nil && m["PrincipalId"] != nil {
				return nil, refuse("both spellings")
			}
			for _, name := range []string{"type", "Type"} {
				read(&c.Identity.Type, m[name], true)
			}
			for _, name := range []string{"principalId", "PrincipalId"} {
				read(&c.Identity.PrincipalID, m[name], true)
			}
		}
	}
	whole(&c.Version, body["ApproximateCreationDateTime"], false)
	whole(&c.SizeBytes, body["SizeBytes"], true)
	c.Precision = "MILLISECOND"
	if raw := body["ApproximateCreationDateTimePrecision"]; raw != nil {
		read(&c.Precision, raw, false)
	}
	if string(body["Keys"]) == "null" {
		return nil, refuse("Keys is null")
	}
	image(&c.Keys, body["Keys"])
	image(&c.New, body["NewImage"])
	image(&c.Old, body["OldImage"])
	if err != nil {
		return nil, err
	}
	images := map[string][2]bool{"INSERT": {true, false}, "MODIFY": {true, true}, "REMOVE": {false, true}}
	want, known := images[c.Kind]
	if !known || c.Table == "" || c.New != nil != want[0] || c.Old != nil != want[1] && (c.Old != nil || c.Kind != "REMOVE") || len(c.Keys) < 1 || len(c.Keys) > 2 {
		return nil, refuse("it isn't whole")
	}
	for _, v := range c.Keys {
		switch v.(type) {
		case *types.AttributeValueMemberS, *types.AttributeValueMemberN, *types.AttributeValueMemberB:
		default:
			return nil, refuse("a key of type %T", v)
		}
	}
	v := big.NewInt(c.Version)
	switch c.Precision {
	case "MILLISECOND":
		v.Mul(v, big.NewInt(1000))
	case "MICROSECOND":
	default:
		return nil, refuse("precision %q", c.Precision)
	}
	if v.BitLen() > 56 || v.Cmp(big.NewInt(100_000_000_000_000)) < 0 {
		return nil, refuse("time %s", v)
	}
	c.Version = v.Int64()
	return c, nil
}

func oracleAttributes(raw json.RawMessage) (map[string]types.AttributeValue, error) {
	members, err := oracleObject(raw)
	if err != nil {
		return nil, err
	}
	out := make(map[string]types.AttributeValue, len(members))
	for name, raw := range members {
		if out[name], err = oracleValue(raw); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func oracleValue(raw json.RawMessage) (types.AttributeValue, error) {
	members, err := oracleObject(raw)
	if err != nil {
		return nil, err
	}
	if len(members) != 1 {
		return nil, refuse("%d types", len(members))
	}
	for name, raw := range members {
		switch name {
		case "S":
			s, err := oracleString(raw)
			return &types.AttributeValueMemberS{Value: s}, err
		case "N":
			s, err := oracleNumber(raw)
			return &types.AttributeValueMemberN{Value: s}, err
		case "B":
			b, err := oracleBinary(raw)
			return &types.AttributeValueMemberB{Value: b}, err
		case "BOOL":
			if s := string(raw); s != "true" && s != "false" {
				return nil, refuse("BOOL %.20s", raw)
			}
			return &types.AttributeValueMemberBOOL{Value: string(raw) == "true"}, nil
		case "NULL":
			if string(raw) != "true" {
				return nil, refuse("NULL %.20s", raw)
			}
			return &types.AttributeValueMemberNULL{Value: true}, nil
		case "M":
			m, err := oracleAttributes(raw)
			return &types.AttributeValueMemberM{Value: m}, err
		case "L":
			l, err := oracleList(raw, oracleValue)
			return &types.AttributeValueMemberL{Value: l}, err
		case "SS":
			l, err := oracleList(raw, oracleString)
			return &types.AttributeValueMemberSS{Value: l}, err
		case "NS":
			l, err := oracleList(raw, oracleNumber)
			return &types.AttributeValueMemberNS{Value: l}, err
		case "BS":
			l, err := oracleList(raw, oracleBinary)
			return &types.AttributeValueMemberBS{Value: l}, err
		}
		return nil, refuse("type %q", name)
	}
	panic("unreachable")
}

func oracleList[T any](raw json.RawMessage, element func(json.RawMessage) (T, error)) ([]T, error) {
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil || list == nil {
		return nil, refuse("no array: %.20q", raw)
	}
	out := make([]T, 0, len(list))
	for _, raw := range list {
		v, err := element(raw)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

var oracleNumberForm = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$`)

func oracleNumber(raw json.RawMessage) (string, error) {
	s, err := oracleString(raw)
	if err != nil {
		return "", err
	}
	m := oracleNumberForm.FindStringSubmatch(s)
	if m == nil {
		return "", refuse("N %.20q", s)
	}
	all := m[1] + m[2]
	digits := strings.TrimLeft(all, "0")
	if digits == "" {
		return s, nil
	}
	exponent := new(big.Int)
	if m[3] != "" {
		exponent.SetString(strings.TrimPrefix(m[3], "+"), 10)
	}
	first := exponent.Add(exponent, big.NewInt(int64(len(m[1])-1-(len(all)-len(digits)))))
	if len(strings.TrimRight(digits, "0")) > 38 || first.Cmp(big.NewInt(125)) > 0 || first.Cmp(big.NewInt(-130)) < 0 {
		return "", refuse("N %.20q is out of range", s)
	}
	return s, nil
}

func oracleBinary(raw json.RawMessage) ([]byte, error) {
	s, err := oracleString(raw)
	if err != nil {
		return nil, err
	}
	for range 2 {
		if strings.ContainsAny(s, "\r\n") {
			return nil, refuse("line break in base64")
		}
		b, err := base64.StdEncoding.Strict().DecodeString(s)
		if err != nil {
			return nil, refuse("base64: %v", err)
		}
		s = string(b)
	}
	return []byte(s), nil
}

// oracleDocument is the document that an item's JSON must say, as encoding/json reads it with UseNumber.
func oracleDocument(v types.AttributeValue) any {
	list := func(n int, at func(int) any) []any {
		out := make([]any, n)
		for i := range out {
			out[i] = at(i)
		}
		return out
	}
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return v.Value
	case *types.AttributeValueMemberN:
		return json.Number(v.Value)
	case *types.AttributeValueMemberB:
		return base64.StdEncoding.EncodeToString(v.Value)
	case *types.AttributeValueMemberBOOL:
		return v.Value
	case *types.AttributeValueMemberM:
		return oracleDocuments(v.Value)
	case *types.AttributeValueMemberL:
		return list(len(v.Value), func(i int) any { return oracleDocument(v.Value[i]) })
	case *types.AttributeValueMemberSS:
		return list(len(v.Value), func(i int) any { return v.Value[i] })
	case *types.AttributeValueMemberNS:
		return list(len(v.Value), func(i int) any { return json.Number(v.Value[i]) })
	case *types.AttributeValueMemberBS:
		return list(len(v.Value), func(i int) any { return base64.StdEncoding.EncodeToString(v.Value[i]) })
	}
	return nil
}

func oracleDocuments(m map[string]types.AttributeValue) any {
	if m == nil {
		return nil
	}
	out := map[string]any{}
	for name, v := range m {
		out[name] = oracleDocument(v)
	}
	return out
}
