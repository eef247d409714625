package cli

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/shared/consumer"
	"sluice/shared/consumertest"
)

func scoreChange() consumertest.Change {
	keys := consumertest.Item{"UserId": consumertest.S("reed"), "Timestamp": consumertest.S("2026-01-02 03:04:05.000001")}
	item := func(score string) consumertest.Item {
		return consumertest.Item{"UserId": keys["UserId"], "Timestamp": keys["Timestamp"], "Score": consumertest.N(score), "Level": consumertest.N("3")}
	}
	old := item("5")
	old["Photo"] = consumertest.B([]byte{0x12, 0x02, 0x08, 0x7b})
	return consumertest.Change{Table: "UserScoreEvents", Time: consumertest.Arrival.Add(123 * time.Microsecond), Keys: keys, Old: old, New: item("7")}
}

const scoreText = `  MODIFY UserScoreEvents  2026-01-02 03:04:05.000123 UTC
    Timestamp  S "2026-01-02 03:04:05.000001"  key
    UserId     S "reed"                        key
    Level      N 3
    Photo      B "EgIIew=="                    gone
    Score      N 7                             was N 5
`

func TestDecode(t *testing.T) {
	expired := scoreChange()
	expired.New, expired.TTL = nil, true
	letter, err := json.Marshal(consumer.DeadLetter{
		Consumer: "leaderboard", Reason: consumer.Invalid, Error: "no score",
		Position: consumer.Position{ShardID: "shardId-000000000000", SequenceNumber: consumertest.SequenceNumber(1)},
		Data:     base64.StdEncoding.EncodeToString(scoreChange().Record()),
	})
	if err != nil {
		t.Fatal(err)
	}
	shard := "shardId-000000000000 "
	for _, test := range []struct {
		name, text, want, wantErr string
	}{
		{"record", string(scoreChange().Record()), scoreText, ""},
		{"payload", string(consumertest.Payload(1, scoreChange().Record(), expired.Record(), []byte("{"))),
			shard + consumertest.SequenceNumber(1) + "\n" + scoreText + "\n" +
				shard + consumertest.SequenceNumber(2) + "\n" + `  REMOVE UserScoreEvents  2026-01-02 03:04:05.000123 UTC  expired (TTL)
    Timestamp  S "2026-01-02 03:04:05.000001"  key
    UserId     S "reed"                        key
    Level      N 3                             gone
    Photo      B "EgIIew=="                    gone
    Score      N 5                             gone

` + shard + consumertest.SequenceNumber(3) + "\n  not a change: ", "1 of 3 records are no changes"},
		{"dead letter", string(letter), "dead letter of leaderboard: invalid, no score\n" + shard + consumertest.SequenceNumber(1) + "\n" + scoreText, ""},
		{"pointer to a body", `{"consumer":"leaderboard","body":{"bucket":"b","key":"k"}}`, "", "aws s3 cp s3://b/k - | sluice decode -"},
		{"other JSON", `{"source":"aws.events"}`, "", "no Lambda payload (Records), no record (dynamodb) and no dead letter"},
		{"no JSON", "UserId,Score", "", "this is no JSON"},
		{"truncated record", string(scoreChange().Record()[:100]), "", "this is no JSON"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			err := decode(&out, []byte(test.text))
			got := out.String()
			if cut, _, found := strings.Cut(got, "not a change: "); found { // the reason is package change's to test
				got = cut + "not a change: "
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("output (-want +got):\n%s", diff)
			}
			if test.wantErr == "" && err != nil || test.wantErr != "" && (err == nil || !strings.Contains(err.Error(), test.wantErr)) {
				t.Errorf("error %v, want one with %q", err, test.wantErr)
			}
		})
	}
}
