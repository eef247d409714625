package cli

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/operate"
	"sluice/shared/printable"
	"sluice/shared/redrive"
)

// decodedForms are what decode reads, for help and errors.
const decodedForms = `a Lambda payload of Kinesis records or one record of it, the data of a record (a change), a consumer's dead letter, an on-failure
document of Lambda (with its payload if it is from S3), what Kinesis or SQS returns for "get-records" or "receive-message", a Firehose
file or event, and any of these inside an SNS notification or an SQS event`

// maxNesting bounds how many envelopes lie around each other.
const maxNesting = 10

// decode prints whatever recorded forms a text has. What can't be decoded is printed with the reason, and is an error in the end.
func decode(out io.Writer, text []byte) error {
	if bytes.HasPrefix(text, []byte("\x1f\x8b")) {
		return errors.New("this is compressed with gzip; decode that: gunzip -c FILE | sluice decode -")
	}
	d := &forms{out: out}
	values := json.NewDecoder(bytes.NewReader(text))
	for {
		var value json.RawMessage
		err := values.Decode(&value)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return errors.Join(d.end(), fmt.Errorf("from byte %d on this is no JSON: %s\ndecode knows %s", values.InputOffset(), jsonFault(err), decodedForms))
		}
		if err := d.value(value, 0); err != nil {
			return err
		}
	}
	return d.end()
}

// forms prints recorded forms.
type forms struct {
	out    io.Writer
	shown  int // records
	faulty int // of these
}

// end returns an error unless each record is a change.
func (d *forms) end() error {
	switch {
	case d.shown == 0:
		return errors.New("there are no records in it")
	case d.faulty > 0:
		return fmt.Errorf("%d of %s are no changes", d.faulty, operate.Count(d.shown, "record"))
	}
	return nil
}

// value prints a JSON value.
func (d *forms) value(value json.RawMessage, depth int) error {
	if depth > maxNesting {
		return fmt.Errorf("more than %d envelopes lie around each other", maxNesting)
	}
	if bytes.HasPrefix(value, []byte("[")) {
		var all []json.RawMessage
		if err := json.Unmarshal(value, &all); err != nil {
			return errors.New(jsonFault(err))
		}
		for i, one := range all {
			if err := d.value(one, depth+1); err != nil {
				return fmt.Errorf("[%d]: %w", i, err)
			}
		}
		return nil
	}
	// Fields by their names: which form it is, these tell.
	var fields map[string]json.RawMessage
	if !bytes.HasPrefix(value, []byte("{")) || json.Unmarshal(value, &fields) != nil {
		return fmt.Errorf("%s is none of the forms that are known.\ndecode knows %s", printable.Cut(string(value), 60), decodedForms)
	}
	switch {
	case isList(fields["Records"]), isList(fields["records"]), isList(fields["Messages"]):
		return d.records(value, fields, depth)
	case fields["KinesisBatchInfo"] != nil:
		return d.onFailure(value, fields, depth)
	case fields["consumer"] != nil:
		return d.deadLetter(value)
	case fields["dynamodb"] != nil:
		d.space()
		return d.change(value)
	}
	if inside := nested(fields); inside != nil {
		return d.text(inside, depth)
	}
	if fields["kinesis"] != nil {
		return d.payload(fmt.Appendf(nil, `{"Records":[%s]}`, value))
	}
	return fmt.Errorf("this is JSON, but no Lambda payload (Records), no record (dynamodb) and no dead letter (consumer).\ndecode knows %s", decodedForms)
}

func isList(value json.RawMessage) bool { return bytes.HasPrefix(value, []byte("[")) }

// records prints the records of an event: those of Kinesis at once, of others one after the other.
func (d *forms) records(value json.RawMessage, fields map[string]json.RawMessage, depth int) error {
	for _, name := range []string{"Records", "records", "Messages"} {
		var all []map[string]json.RawMessage
		if json.Unmarshal(fields[name], &all) == nil && len(all) > 0 && all[0]["kinesis"] != nil && name == "Records" {
			return d.payload(value)
		}
		if isList(fields[name]) {
			return d.value(fields[name], depth)
		}
	}
	return nil
}

// nested returns the text inside an envelope, or nil if fields are none: an SNS notification, a message of SQS, a record of SNS or
// Firehose, what Kinesis returns.
func nested(fields map[string]json.RawMessage) []byte {
	var inside struct{ Message json.RawMessage }
	if sns := fields["Sns"]; sns != nil && json.Unmarshal(sns, &inside) == nil && inside.Message != nil {
		return unquoted(inside.Message)
	}
	if fields["Type"] != nil && fields["Message"] != nil {
		return unquoted(fields["Message"])
	}
	for _, name := range []string{"body", "Body"} {
		if text := unquoted(fields[name]); text != nil {
			return text
		}
	}
	for _, name := range []string{"data", "Data"} {
		if data, err := base64.StdEncoding.DecodeString(string(unquoted(fields[name]))); err == nil && len(data) > 0 && fields["consumer"] == nil {
			return data
		}
	}
	return nil
}

// unquoted returns the text of a JSON string, or nil if it is none.
func unquoted(value json.RawMessage) []byte {
	var text string
	if !bytes.HasPrefix(value, []byte(`"`)) || json.Unmarshal(value, &text) != nil {
		return nil
	}
	return []byte(text)
}

// text prints the values of a text that was inside an envelope.
func (d *forms) text(text []byte, depth int) error {
	values := json.NewDecoder(bytes.NewReader(text))
	for n := 0; ; n++ {
		var value json.RawMessage
		err := values.Decode(&value)
		if errors.Is(err, io.EOF) && n > 0 {
			return nil
		}
		if err != nil {
			d.space()
			d.refuse(errors.New("what is in the envelope is no JSON"), text)
			return nil
		}
		if err := d.value(value, depth+1); err != nil {
			return err
		}
	}
}

// payload prints what Lambda hands to a function.
func (d *forms) payload(text []byte) error {
	var decoder change.Decoder
	records, err := decoder.Decode(text)
	if err != nil {
		return err
	}
	for _, r := range records {
		d.space()
		fmt.Fprintf(d.out, "%s %s\n", printable.Text(r.ShardID), printable.Text(r.SequenceNumber))
		if r.Err != nil {
			d.refuse(r.Err, nil)
			continue
		}
		if err := printChange(d.out, r.Change); err != nil {
			return err
		}
	}
	return nil
}

// onFailure prints Lambda's document about a range that it gave up, and the range's records if the document has them.
func (d *forms) onFailure(value json.RawMessage, fields map[string]json.RawMessage, depth int) error {
	var document struct {
		RequestContext   struct{ Condition string } `json:"requestContext"`
		KinesisBatchInfo redrive.Range
	}
	if err := json.Unmarshal(value, &document); err != nil {
		return fmt.Errorf("this looks like an on-failure document of Lambda, but: %s", jsonFault(err))
	}
	of := document.KinesisBatchInfo
	d.space()
	fmt.Fprintf(d.out, "Lambda gave up %s: %s\n%s of %s\n  from %s\n  to   %s\n  the first came %s\n", operate.Count(of.Records, "record"), printable.Text(document.RequestContext.Condition),
		printable.Text(of.ShardID), printable.Text(of.StreamARN), printable.Text(of.First), printable.Text(of.Last), of.Arrival.UTC().Format(time.DateTime+" MST"))
	if payload := unquoted(fields["payload"]); payload != nil {
		return d.text(payload, depth)
	}
	fmt.Fprintln(d.out, "  the records themselves are in the stream, as long as it keeps them; \"sluice redrive CONSUMER\" sends them")
	return nil
}

func (d *forms) deadLetter(text []byte) error {
	var letter consumer.DeadLetter
	if err := json.Unmarshal(text, &letter); err != nil {
		return fmt.Errorf("this looks like a dead letter, but: %s", jsonFault(err))
	}
	if letter.Body != nil {
		return fmt.Errorf("this dead letter's body is in S3; decode that: aws s3 cp s3://%s/%s - | sluice decode -", letter.Body.Bucket, letter.Body.Key)
	}
	d.space()
	fmt.Fprintf(d.out, "dead letter of %s: %s, %s\n%s %s\n", printable.Name(letter.Consumer), printable.Name(string(letter.Reason)), quoted(letter.Error, 2),
		printable.Text(letter.Position.ShardID), printable.Text(letter.Position.SequenceNumber))
	data, err := base64.StdEncoding.DecodeString(letter.Data)
	if err != nil {
		return fmt.Errorf("its data is no base64: %w", err)
	}
	changed, err := change.Parse(data)
	if err != nil { // the dead letter says so itself
		fmt.Fprintf(d.out, "  not a change: %s\n  %s\n", printable.Text(err.Error()), printable.Cut(fmt.Sprintf("%q", data), exampleWidth))
		return nil
	}
	return printChange(d.out, changed)
}

// change prints the data of a record.
func (d *forms) change(text []byte) error {
	changed, err := change.Parse(text)
	if err != nil {
		d.refuse(err, text)
		return nil
	}
	return printChange(d.out, changed)
}

// refuse prints why a record is no change.
func (d *forms) refuse(why error, text []byte) {
	d.faulty++
	fmt.Fprintf(d.out, "  not a change: %s\n", printable.Text(why.Error()))
	if text != nil {
		fmt.Fprintf(d.out, "  %s\n", printable.Cut(fmt.Sprintf("%q", text), exampleWidth))
	}
}

// space separates a record from the one before.
func (d *forms) space() {
	if d.shown++; d.shown > 1 {
		fmt.Fprintln(d.out)
	}
}

// jsonFault says what is wrong with a JSON text, without words of Go's.
func jsonFault(err error) string {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Sprintf("its field %s has the wrong type, %s", wrong.Field, strings.Fields(wrong.Value)[0])
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return "it ends in the middle"
	}
	return err.Error()
}
