package consumer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/change"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/wire"
)

// sqsTakes is the rule of SQS for the characters of a message, which the local server may not
// keep: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
func sqsTakes(r rune) bool {
	return r == 0x9 || r == 0xa || r == 0xd || r >= 0x20 && r <= 0xd7ff || r >= 0xe000 && r <= 0xfffd || r >= 0x10000 && r <= 0x10ffff
}

// hostile are texts of every kind that a change, or an error about it, may have.
func hostile() map[string]string {
	texts := map[string]string{
		"nothing": "", "noncharacters": "\ufffe\uffff", "a pair's halves": "\xed\xa0\x80\xed\xb0\x80", "no UTF-8": "a\xff\xfe\xc3", "cut": "\xe2\x82",
		"all planes": "é€\U0001f600\U0010ffff", "last of the first plane": "\ud7ff\ue000\ufffd", "JSON": `"\u0000\",{}[]`, "HTML": "<&>\u2028\u2029", "DEL": "\x7f\u0080\u009f",
		"replaced": "\ufffd",
	}
	for c := range rune(0x20) {
		texts[fmt.Sprintf("control %#x", c)] = string(c)
	}
	for _, n := range []int{maxName, maxError, MaxMessageBytes, 1 << 20} {
		for name, part := range map[string]string{"letters": "x", "controls": "\x00", "noncharacters": "\uffff", "emoji": "\U0001f600", "bad bytes": "\xff"} {
			texts[fmt.Sprintf("%d bytes of %s", n, name)] = strings.Repeat(part, n/len(part))
		}
	}
	return texts
}

// Any change can be kept, whatever its error, its table and its names are. Fails for a letter
// with a character that SQS refuses, for one that is too large with its escapes,
// and for one that is cut within a character.
func TestAnyDeadLetterCanBeKept(t *testing.T) {
	q := newQueue(t)
	var letters []DeadLetter
	for name, text := range hostile() {
		for _, size := range []int{8, MaxMessageBytes} { // whole in the queue, and with its body in S3
			r := &change.Record{
				SequenceNumber: consumertest.SequenceNumber(len(letters)), ShardID: "shardId-0", PartitionKey: text,
				Encoded: bytes.Repeat([]byte("QUJD"), size/4), Change: &change.Change{Table: text},
			}
			letter := newDeadLetter("test", r, &Rejection{Invalid, fmt.Errorf("%s: %s", name, text)}, consumertest.Arrival)
			letters = append(letters, letter)
			body, err := letter.text()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			pointer, err := letter.pointer(&Body{Bucket: "b", Key: letter.bodyKey()}).text()
			if err != nil || len(pointer) > MaxMessageBytes/4 {
				t.Errorf("%s: the pointer has %d bytes, %v", name, len(pointer), err)
			}
			for _, r := range body + pointer {
				if !sqsTakes(r) || r >= utf8.RuneSelf {
					t.Fatalf("%s: the message has %U", name, r)
				}
			}
		}
	}
	for i, err := range q.Keep(t.Context(), letters) {
		if err != nil {
			t.Errorf("%s: %v", letters[i].Error[:20], err)
		}
	}
	want := map[string]DeadLetter{}
	for _, l := range letters {
		l.Position.PartitionKey = strings.ToValidUTF8(l.Position.PartitionKey, "\ufffd")
		want[l.Position.SequenceNumber] = l
	}
	for n, got := range receive(t, q, len(letters)) {
		// JSON replaces each bad byte of what isn't cut or cleaned.
		got.Position.PartitionKey, got.Error = dedup(got.Position.PartitionKey), dedup(got.Error)
		w := want[n]
		w.Position.PartitionKey, w.Error = dedup(w.Position.PartitionKey), dedup(w.Error)
		if !cmp.Equal(w, got) {
			t.Errorf("dead letter %s came out otherwise than it went in: %.200v", n, got)
		}
		delete(want, n)
	}
	if len(want) > 0 {
		t.Errorf("%d dead letters are missing", len(want))
	}
}

// dedup makes one of several replacement characters in a row.
func dedup(s string) string {
	for strings.Contains(s, "\ufffd\ufffd") {
		s = strings.ReplaceAll(s, "\ufffd\ufffd", "\ufffd")
	}
	return s
}

// Fails if a text is cut within a character, or longer with its escapes than it may be.
func TestShorten(t *testing.T) {
	for name, text := range hostile() {
		for _, limit := range []int{1, 2, 7, 12, 13, maxName} {
			got := shorten(text, limit)
			if !utf8.ValidString(got) {
				t.Errorf("%s is cut to %q", name, got)
			}
			written, err := (&DeadLetter{Error: strings.TrimSuffix(got, "…")}).text()
			if err != nil {
				t.Fatal(err)
			}
			empty, _ := (&DeadLetter{}).text()
			if n := len(written) - len(empty); n > limit {
				t.Errorf("%s has %d bytes, may have %d", name, n, limit)
			}
		}
	}
}

// refusing answers in the queue's place that a message's content is invalid.
type refusing struct {
	next  http.RoundTripper
	whole bool // refuses all messages of a call for one
	hears string
}

func (r *refusing) RoundTrip(request *http.Request) (*http.Response, error) {
	if wire.Operation(request) != "SendMessageBatch" {
		return r.next.RoundTrip(request)
	}
	text, err := io.ReadAll(request.Body)
	if err != nil {
		return nil, err
	}
	request.Body = io.NopCloser(bytes.NewReader(text))
	var call struct {
		Entries []struct{ Id string }
	}
	if err := json.Unmarshal(text, &call); err != nil {
		return nil, err
	}
	if !bytes.Contains(text, []byte(r.hears)) {
		return r.next.RoundTrip(request)
	}
	header := http.Header{"Content-Type": {"application/x-amz-json-1.0"}}
	if r.whole {
		return wire.Answer(request, http.StatusBadRequest, header, []byte(`{"__type":"com.amazonaws.sqs#InvalidMessageContents","message":"The message contains characters outside the allowed set."}`)), nil
	}
	type entry struct {
		Id, MessageId, MD5OfMessageBody, Code, Message string
		SenderFault                                    bool
	}
	var answer struct{ Successful, Failed []entry }
	for _, e := range call.Entries {
		answer.Failed = append(answer.Failed, entry{Id: e.Id, Code: "InvalidMessageContents", Message: "invalid", SenderFault: true})
	}
	body, err := json.Marshal(answer)
	return wire.Answer(request, http.StatusOK, header, body), err
}

// SQS may refuse more than its documentation says. Fails if such a letter blocks its shard, or
// others of its batch do, or if it loses anything.
func TestQueueThatRefusesTheContent(t *testing.T) {
	for _, whole := range []bool{true, false} {
		q := newQueue(t)
		wall := &refusing{next: http.DefaultTransport, whole: whole, hears: "strange"}
		cfg := servertest.Ministack(t)
		cfg.HTTPClient = &http.Client{Transport: wall}
		q.SQS = sqs.NewFromConfig(cfg)
		bad := letter(1, 10)
		bad.Error, bad.Table = "strange", "\uffff"
		letters := []DeadLetter{letter(0, 10), bad, letter(2, 10)}
		if err := errors.Join(q.Keep(t.Context(), letters)...); err != nil {
			t.Fatal(err)
		}
		want := map[string]DeadLetter{}
		for _, l := range letters {
			want[l.Position.SequenceNumber] = l
		}
		if diff := cmp.Diff(want, receive(t, q, len(letters))); diff != "" {
			t.Errorf("letters (-want +got):\n%s", diff)
		}
		q.Bucket = ""
		if errs := q.Keep(t.Context(), letters); errs[1] == nil || !errors.Is(errs[1], ErrNoBucket) {
			t.Errorf("a letter that is nowhere counts as kept: %v", errs[1])
		}
	}
}

// Fails if the S3 object of a letter can't have its name, or two letters have one.
func TestBodyKey(t *testing.T) {
	seen := map[string]string{}
	for name, text := range hostile() {
		l := DeadLetter{Consumer: "test", Position: Position{ShardID: text, SequenceNumber: "1"}}
		key := l.bodyKey()
		if len(key) > 1024 || strings.ContainsFunc(key, func(r rune) bool { return !sqsTakes(r) || r >= utf8.RuneSelf }) {
			t.Errorf("%s: the key is %q", name, key)
		}
		if other, twice := seen[key]; twice {
			t.Errorf("%s and %s have the key %s", name, other, key)
		}
		seen[key] = name
	}
	l := letter(1, 0)
	if got, want := l.bodyKey(), "test/shardId-0/"+consumertest.SequenceNumber(1)+".json"; got != want {
		t.Errorf("the key is %q, want %q as ever", got, want)
	}
	for _, p := range []*DeadLetter{&l, l.pointer(nil), l.barePointer(nil)} {
		if !l.IsAt(p.Position) {
			t.Errorf("%+v isn't found to be of its letter", aws.ToString(&p.Position.SequenceNumber))
		}
	}
	if l.IsAt(letter(2, 0).Position) {
		t.Error("the letter is taken for another one")
	}
}
