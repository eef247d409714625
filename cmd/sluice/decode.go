package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/printable"
)

// decodedWidth is how many columns of a terminal a value takes at most.
const decodedWidth = 120

type decodeCommand struct {
	File string `arg:"" type:"existingfile" help:"A recorded Lambda payload, one record's data, or a dead letter. - reads standard input."`
}

func (c *decodeCommand) Run() error {
	var text []byte
	var err error
	if c.File == "-" {
		text, err = io.ReadAll(os.Stdin)
	} else {
		text, err = os.ReadFile(c.File)
	}
	if err != nil {
		return err
	}
	return decode(stdout, text)
}

// decode prints whatever recorded form text has. Records that can't be decoded
// are printed with the reason, and are an error in the end.
func decode(out io.Writer, text []byte) error {
	var shape struct {
		Records  json.RawMessage
		Consumer string           `json:"consumer"`
		Body     *consumer.Body   `json:"body"`
		DynamoDB *json.RawMessage `json:"dynamodb"`
	}
	if err := json.Unmarshal(text, &shape); err != nil {
		return fmt.Errorf("this is no JSON, so neither a Lambda payload nor a record nor a dead letter: %w", err)
	}
	switch {
	case shape.Records != nil:
		return decodePayload(out, text)
	case shape.Body != nil:
		return fmt.Errorf("this dead letter's body is in S3; decode that: aws s3 cp s3://%s/%s - | sluice decode -", shape.Body.Bucket, shape.Body.Key)
	case shape.Consumer != "":
		return decodeDeadLetter(out, text)
	case shape.DynamoDB != nil:
		changed, err := change.Parse(text)
		if err != nil {
			return err
		}
		return printChange(out, changed)
	}
	return errors.New("this is JSON, but no Lambda payload (Records), no record (dynamodb) and no dead letter (consumer)")
}

func decodePayload(out io.Writer, text []byte) error {
	var decoder change.Decoder
	records, err := decoder.Decode(text)
	if err != nil {
		return err
	}
	undecodable := 0
	for i, r := range records {
		if i > 0 {
			fmt.Fprintln(out)
		}
		fmt.Fprintf(out, "%s %s\n", r.ShardID, r.SequenceNumber)
		if r.Err != nil {
			undecodable++
			fmt.Fprintf(out, "  not a change: %v\n", r.Err)
			continue
		}
		if err := printChange(out, r.Change); err != nil {
			return err
		}
	}
	if undecodable > 0 {
		return fmt.Errorf("%d of %d records are no changes", undecodable, len(records))
	}
	return nil
}

func decodeDeadLetter(out io.Writer, text []byte) error {
	var letter consumer.DeadLetter
	if err := json.Unmarshal(text, &letter); err != nil {
		return fmt.Errorf("this looks like a dead letter, but: %w", err)
	}
	fmt.Fprintf(out, "dead letter of %s: %s, %s\n%s %s\n", letter.Consumer, letter.Reason, letter.Error, letter.Position.ShardID, letter.Position.SequenceNumber)
	data, err := base64.StdEncoding.DecodeString(letter.Data)
	if err != nil {
		return fmt.Errorf("its data is no base64: %w", err)
	}
	changed, err := change.Parse(data)
	if err != nil {
		fmt.Fprintf(out, "  not a change: %v\n  %q\n", err, data)
		return nil
	}
	return printChange(out, changed)
}

// printChange prints a change with what it did to each attribute.
func printChange(out io.Writer, c *change.Change) error {
	by := ""
	if c.ByTTL() {
		by = "  expired (TTL)"
	}
	fmt.Fprintf(out, "  %s %s  %s%s\n", c.Kind, c.Table, c.Time().UTC().Format("2006-01-02 15:04:05.000000 MST"), by)
	table := printable.Table{MaxWidth: decodedWidth}
	for _, name := range attributeNames(c) {
		before, hadIt := text(c.Old, name)
		after, hasIt := text(c.New, name)
		key, isKey := text(c.Keys, name)
		indented := "    " + name
		switch {
		case isKey:
			table.Row(indented, key, "key")
		case hadIt && hasIt && before == after:
			table.Row(indented, after)
		case hadIt && hasIt:
			table.Row(indented, after, "was "+before)
		case hasIt:
			table.Row(indented, after, "new")
		default:
			table.Row(indented, before, "gone")
		}
	}
	return table.Flush(out)
}

// attributeNames lists a change's attributes: keys first, then by name.
func attributeNames(c *change.Change) []string {
	var keys, others []string
	seen := map[string]bool{}
	for _, image := range []change.Image{c.Keys, c.Old, c.New} {
		for name := range image.All() {
			if seen[name] {
				continue
			}
			seen[name] = true
			if _, isKey := c.Keys.Get(name); isKey {
				keys = append(keys, name)
			} else {
				others = append(others, name)
			}
		}
	}
	slices.Sort(keys)
	slices.Sort(others)
	return append(keys, others...)
}

// text shows a value as its type and document JSON.
func text(image change.Image, name string) (string, bool) {
	v, ok := image.Get(name)
	if !ok {
		return "", false
	}
	return string(v.AppendJSON([]byte(v.Type().String() + " "))), true
}
