package mapping

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	kinesistypes "github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

const changeData = `{"awsRegion":"us-east-1","eventName":"INSERT","userIdentity":null,"tableName":"scores","dynamodb":{
	"ApproximateCreationDateTime":1720740233012995,"Keys":{"id":{"S":"a"}},"NewImage":{"id":{"S":"a"},"n":{"N":"7"},"ok":{"BOOL":true},"none":{"NULL":true},
	"tags":{"SS":["x","y"]},"list":{"L":[{"S":"one"},{"N":"2"}]},"empty":{"L":[]}},"SizeBytes":99}}`

func kinesisRecord(data string) *kinesistypes.Record {
	return &kinesistypes.Record{
		PartitionKey: aws.String("0AB1"), SequenceNumber: aws.String("496"), Data: []byte(data),
		ApproximateArrivalTimestamp: aws.Time(time.UnixMilli(1545084650987)),
	}
}

func TestFilterMatches(t *testing.T) {
	image := func(rules string) string { return `{"data":{"dynamodb":{"NewImage":` + rules + `}}}` }
	for _, test := range []struct {
		pattern string
		want    verdict
	}{
		{`{"data":{"tableName":["scores"]}}`, matched},
		{`{"data":{"tableName":["Scores"]}}`, dropped},
		{`{"data":{"tableName":["players","scores"]}}`, matched},
		{`{"data":{"tableName":["scores"],"eventName":["INSERT","MODIFY"]}}`, matched},
		{`{"data":{"tableName":["scores"],"eventName":["REMOVE"]}}`, dropped},
		{`{"data":{"eventname":["INSERT"]}}`, dropped}, // names are case-sensitive
		{`{"tableName":["scores"]}`, dropped},          // a pattern that forgets data matches nothing
		{`{"data":{"userIdentity":[null]}}`, matched},
		{`{"data":{"tableName":[null]}}`, dropped},
		{`{"data":{"userIdentity":{"type":["Service"]}}}`, dropped},
		{`{"data":{"userIdentity":[{"exists":true}]}}`, matched}, // null is there

		{`{"data":{"tableName":[{"prefix":"sco"}]}}`, matched},
		{`{"data":{"tableName":[{"prefix":"Sco"}]}}`, dropped},
		{`{"data":{"tableName":[{"suffix":"res"}]}}`, matched},
		{`{"data":{"tableName":[{"equals-ignore-case":"SCORES"}]}}`, matched},
		{`{"data":{"tableName":[{"anything-but":"players"}]}}`, matched},
		{`{"data":{"tableName":[{"anything-but":["players","scores"]}]}}`, dropped},
		{`{"data":{"missing":[{"anything-but":["x"]}]}}`, dropped}, // what is absent is not anything
		{`{"data":{"tableName":["x",{"prefix":"s"}]}}`, matched},

		{`{"data":{"dynamodb":{"SizeBytes":[99]}}}`, matched},
		{`{"data":{"dynamodb":{"SizeBytes":[99.0]}}}`, matched},
		{`{"data":{"dynamodb":{"SizeBytes":["99"]}}}`, dropped},
		{`{"data":{"dynamodb":{"SizeBytes":[{"numeric":[">",98,"<=",99]}]}}}`, matched},
		{`{"data":{"dynamodb":{"SizeBytes":[{"numeric":[">=",99.5]}]}}}`, dropped},
		{`{"data":{"dynamodb":{"SizeBytes":[{"numeric":["=",9.9e1]}]}}}`, matched},
		{`{"data":{"dynamodb":{"SizeBytes":[{"anything-but":[99]}]}}}`, dropped},
		{`{"data":{"dynamodb":{"ApproximateCreationDateTime":[{"numeric":["<",1720740233012995]}]}}}`, dropped},
		{image(`{"n":{"N":[{"numeric":["=",7]}]}}`), dropped}, // DynamoDB's numbers are text in the record
		{image(`{"n":{"N":["7"]}}`), matched},
		{image(`{"ok":{"BOOL":[true]}}`), matched},
		{image(`{"ok":{"BOOL":[false]}}`), dropped},
		{image(`{"none":{"NULL":[true]}}`), matched},

		{image(`{"n":{"N":[{"exists":true}]}}`), matched},
		{image(`{"n":{"N":[{"exists":false}]}}`), dropped},
		{image(`{"x":{"S":[{"exists":false}]}}`), matched},
		{image(`{"n":[{"exists":true}]}`), dropped}, // it works on leaves only
		{`{"data":{"dynamodb":{"OldImage":{"id":{"S":[{"exists":false}]}}}}}`, matched},
		{`{"data":{"tableName":{"inner":["x"]}}}`, dropped},

		{image(`{"tags":{"SS":["y"]}}`), matched},
		{image(`{"tags":{"SS":["z"]}}`), dropped},
		{image(`{"list":{"L":{"N":["2"]}}}`), matched},
		{image(`{"list":{"L":{"N":["3"]}}}`), dropped},
		{image(`{"empty":{"L":{"N":["3"]}}}`), dropped},
		{image(`{"empty":{"L":[{"exists":false}]}}`), matched},

		{`{"data":{"$or":[{"eventName":["REMOVE"]},{"tableName":["scores"]}]}}`, matched},
		{`{"data":{"$or":[{"eventName":["REMOVE"]},{"tableName":["players"]}]}}`, dropped},
		{`{"data":{"awsRegion":["eu-west-1"],"$or":[{"tableName":["scores"]}]}}`, dropped},

		{`{"partitionKey":["0AB1"]}`, matched},
		{`{"partitionKey":["0AB1"],"data":{"tableName":["players"]}}`, dropped},
		{`{"approximateArrivalTimestamp":[{"numeric":[">",1545084650.9,"<",1545084651]}]}`, matched},
	} {
		f, err := newFilter([]string{test.pattern})
		if err != nil {
			t.Errorf("%s: %v", test.pattern, err)
			continue
		}
		if got := f.judge(kinesisRecord(changeData)); got != test.want {
			t.Errorf("%s: verdict %d, want %d", test.pattern, got, test.want)
		}
	}
}

func TestFilterOfSeveralPatterns(t *testing.T) {
	judge := func(data string, patterns ...string) verdict {
		t.Helper()
		f, err := newFilter(patterns)
		if err != nil {
			t.Fatal(err)
		}
		return f.judge(kinesisRecord(data))
	}
	data := func(table string) string { return fmt.Sprintf(`{"data":{"tableName":[%q]}}`, table) }
	key := `{"partitionKey":["0AB1"]}`
	for _, test := range []struct {
		name     string
		data     string
		patterns []string
		want     verdict
	}{
		{"none", "not JSON", nil, matched},
		{"one of two", changeData, []string{data("players"), data("scores")}, matched},
		{"neither", changeData, []string{data("players"), data("x")}, dropped},
		{"data that is not JSON", "scores", []string{data("scores")}, notJSON},
		{"data that is no object", `["scores"]`, []string{data("scores")}, notJSON},
		{"data with something behind it", changeData + "x", []string{data("scores")}, notJSON},
		{"truncated data", changeData[:50], []string{data("scores")}, notJSON},
		{"data that is not JSON, but the key matches", "scores", []string{data("scores"), key}, matched},
	} {
		if got := judge(test.data, test.patterns...); got != test.want {
			t.Errorf("%s: verdict %d, want %d", test.name, got, test.want)
		}
	}
}

func TestFilterRefusesWhatLambdaWould(t *testing.T) {
	for pattern, want := range map[string]string{
		`{`:                               "not JSON",
		`[]`:                              "not a JSON object",
		`{}`:                              "no field",
		`{"data":["x"]}`:                  "data must be a JSON object",
		`{"data":{"tableName":"scores"}}`: "must be a list or an object",
		`{"data":{"tableName":[]}}`:       "empty",
		`{"data":{"tableName":[{"wildcard":"s*"}]}}`:   "not known",
		`{"data":{"tableName":[{"prefix":1}]}}`:        "not a string",
		`{"data":{"tableName":[{"exists":"yes"}]}}`:    "not true or false",
		`{"data":{"x":[{"numeric":[">"]}]}}`:           "one or two comparisons",
		`{"data":{"x":[{"numeric":["!=",1]}]}}`:        "not a comparison",
		`{"data":{"x":[{"numeric":[">","1"]}]}}`:       "not a comparison",
		`{"data":{"x":[{"anything-but":[]}]}}`:         "empty",
		`{"data":{"x":[{"anything-but":[null]}]}}`:     "not a string or number",
		`{"data":{"x":[{"prefix":"a","suffix":"b"}]}}`: "one name",
		`{"data":{"$or":["x"]}}`:                       "$or",
	} {
		if _, err := newFilter([]string{pattern}); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), pattern) {
			t.Errorf("%s: error %v, want one that holds the pattern and %q", pattern, err, want)
		}
	}
}
