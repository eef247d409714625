package change

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"strconv"
	"testing"

	"github.com/aws/aws-lambda-go/events"
)

// These are the readings that most handlers have. Each is wrong on a golden record, so that the golden files would catch it here too.

func goodRecord(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/good/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestCarelessTime(t *testing.T) {
	data := goodRecord(t, "insert")
	var careless events.DynamoDBEventRecord
	if err := json.Unmarshal(data, &careless); err != nil {
		t.Fatal(err)
	}
	c, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	if c.Time().Year() != 2024 {
		t.Errorf("year %d, want 2024", c.Time().Year())
	}
	if year := careless.Change.ApproximateCreationDateTime.Year(); year == c.Time().Year() {
		t.Error("microseconds read as seconds give the same year: the record can't tell them apart")
	}
}

func TestCarelessBinary(t *testing.T) {
	data := goodRecord(t, "binary-of-awslabs-959")
	var careless events.DynamoDBEventRecord
	if err := json.Unmarshal(data, &careless); err != nil {
		t.Fatal(err)
	}
	c, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.New.Bytes("data")
	if err != nil || string(got) != "\x12\x02\x08\x7b" {
		t.Errorf("bytes % x, %v, want 12 02 08 7b", got, err)
	}
	once := careless.Change.NewImage["data"].Binary()
	if string(once) == string(got) {
		t.Error("base64 read once gives the same bytes: the record can't tell them apart")
	}
	if string(once) != base64.StdEncoding.EncodeToString(got) {
		t.Errorf("base64 read once gives %q, which is not the base64 of the bytes", once)
	}
}

func TestCarelessNumber(t *testing.T) {
	c, err := Parse(goodRecord(t, "numbers"))
	if err != nil {
		t.Fatal(err)
	}
	all, _ := c.New.Get("all")
	changed := 0
	for v := range all.List() {
		f, err := strconv.ParseFloat(v.Text(), 64)
		if err != nil {
			t.Fatal(err)
		}
		if string(appendNumber(nil, strconv.AppendFloat(nil, f, 'g', -1, 64))) != string(appendNumber(nil, []byte(v.Text()))) {
			changed++
		}
	}
	if changed == 0 {
		t.Error("every number survives float64: the record can't tell them apart")
	}
}
