package cli

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"sluice/cli/verb"
	"sluice/shared/consumertest"
)

// jsonString writes a text as a JSON string.
func jsonString(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string can always be written
	}
	return string(quoted)
}

// Each form in which AWS hands a change on, and each inside each envelope: decode finds the changes, and no error has words of Go's.
func TestDecodeForms(t *testing.T) {
	record := string(scoreChange().Record())
	payload := string(consumertest.Payload(1, []byte(record), []byte(record)))
	var inside struct{ Records []json.RawMessage }
	if err := json.Unmarshal([]byte(payload), &inside); err != nil {
		t.Fatal(err)
	}
	data := base64.StdEncoding.EncodeToString([]byte(record))
	onFailure := func(more string) string {
		return `{"requestContext":{"requestId":"r","functionArn":"f","condition":"RetryAttemptsExhausted","approximateInvokeCount":1},"responseContext":{"statusCode":200,"functionError":null},
			"version":"1.0","timestamp":"2026-01-02T03:04:05.678Z","KinesisBatchInfo":{"shardId":"shardId-000000000007","startSequenceNumber":"1","endSequenceNumber":"2",
			"approximateArrivalOfFirstRecord":"2026-01-02T03:04:05.678Z","approximateArrivalOfLastRecord":"2026-01-02T03:04:05.678Z","batchSize":2,"streamArn":"arn:aws:kinesis:us-east-1:0:stream/s"}` + more + `}`
	}
	forms := map[string]struct {
		text    string
		changes int
	}{
		"payload":                       {payload, 2},
		"record of a payload":           {string(inside.Records[0]), 1},
		"change":                        {record, 1},
		"changes, one after the other":  {record + record + record, 3},
		"changes, one a line":           {record + "\n" + record + "\r\n", 2},
		"array of changes":              {"[" + record + "," + record + "]", 2},
		"array of payloads":             {"[" + payload + "," + payload + "]", 4},
		"on-failure document":           {onFailure(""), 0},
		"on-failure document of S3":     {onFailure(`,"payload":` + jsonString(payload)), 2},
		"what Kinesis returns":          {`{"Records":[{"SequenceNumber":"1","PartitionKey":"p","Data":"` + data + `"}],"NextShardIterator":"x","MillisBehindLatest":0}`, 1},
		"event of Firehose":             {`{"invocationId":"i","records":[{"recordId":"r","data":"` + data + `"}]}`, 1},
		"what SQS returns":              {`{"Messages":[{"MessageId":"m","ReceiptHandle":"h","Body":` + jsonString(record) + `}]}`, 1},
		"on-failure document, from SQS": {`{"Messages":[{"Body":` + jsonString(onFailure("")) + `}]}`, 0},
		"payload, with byte order mark": {"\ufeff" + payload, 2},
	}
	envelopes := map[string]func(string) string{
		"nothing": func(s string) string { return s },
		"SNS": func(s string) string {
			return `{"Type":"Notification","MessageId":"m","Message":` + jsonString(s) + `}`
		},
		"SQS event": func(s string) string {
			return `{"Records":[{"messageId":"m","receiptHandle":"h","body":` + jsonString(s) + `,"eventSource":"aws:sqs"}]}`
		},
		"SNS event": func(s string) string {
			return `{"Records":[{"EventSource":"aws:sns","Sns":{"Type":"Notification","Message":` + jsonString(s) + `}}]}`
		},
		"SNS in SQS": func(s string) string {
			return `{"Records":[{"body":` + jsonString(`{"Type":"Notification","Message":`+jsonString(s)+`}`) + `}]}`
		},
	}
	for name, form := range forms {
		for around, envelope := range envelopes {
			text := strings.TrimPrefix(form.text, "\ufeff")
			if around == "nothing" {
				path := t.TempDir() + "/recorded.json"
				if err := os.WriteFile(path, []byte(form.text), 0o600); err != nil {
					t.Fatal(err)
				}
				read, err := verb.ReadText(path)
				if err != nil {
					t.Fatal(err)
				}
				text = string(read)
			}
			var out bytes.Buffer
			err := decode(&out, []byte(envelope(text)))
			if n := strings.Count(out.String(), "MODIFY UserScoreEvents"); err != nil || n != form.changes {
				t.Errorf("%s in %s: %d changes, %v, want %d\n%s", name, around, n, err, form.changes, &out)
			}
			if strings.Contains(name, "on-failure") {
				wantTexts(t, out.String(), "Lambda gave up 2 records: RetryAttemptsExhausted", "shardId-000000000007", "2026-01-02 03:04:05 UTC")
			}
		}
	}
	for text, want := range map[string]string{
		"":                               "no records",
		"[]":                             "no records",
		"[[],[]]":                        "no records",
		`{"Records":[]}`:                 "no records",
		"7":                              "none of the forms",
		`"text"`:                         "none of the forms",
		"null":                           "none of the forms",
		"[7]":                            "[0]: 7 is none of the forms",
		`{"Records":7}`:                  "no Lambda payload",
		`{"consumer":7}`:                 "its field consumer has the wrong type, number",
		`{"KinesisBatchInfo":[]}`:        "its field KinesisBatchInfo has the wrong type, array",
		`{"Type":"N","Message":"hello"}`: "1 of 1 record are no changes",
		"\x1f\x8b\x08":                   "gunzip",
		"<html>":                         "no JSON",
		record[:50]:                      "it ends in the middle",
		record + "x":                     "no JSON",
		strings.Repeat("[", 20) + strings.Repeat("]", 20): "lie around each other",
	} {
		var out bytes.Buffer
		err := decode(&out, []byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v, want %q", text, err, want)
		}
		if words := regexp.MustCompile(`\bGo (value|struct)|unmarshal|json\.`).FindString(fmt.Sprint(err, out.String())); words != "" {
			t.Errorf("%.60s: words of Go's: %v", text, err)
		}
	}
}

// Verbs that take a file read standard input for "-".
func TestStandardInput(t *testing.T) {
	for args, want := range map[string]string{
		"decode -":               "INSERT",
		"run nosuch --against -": "the local stack is stopped",
		"load -":                 "the local stack is stopped",
		"badges test -":          "the rules give each the badges it says",
	} {
		cmd := command(t, t.TempDir(), strings.Fields(args)...)
		input := string(consumertest.Payload(1, insertOf("x")))
		if strings.HasPrefix(args, "badges") {
			input = "rules: " + absolute(t, "../pipeline/rules.yaml") + "\ncases:\n  - {name: one, plays: [], badges: []}\n"
		}
		cmd.Stdin = strings.NewReader(input)
		out, _ := cmd.CombinedOutput() // the texts tell
		wantTexts(t, string(out), want)
	}
}

func insertOf(name string) []byte {
	item := consumertest.Item{"Id": consumertest.S(name)}
	return consumertest.Change{Table: "T", Time: consumertest.Arrival, Keys: item, New: item}.Record()
}
