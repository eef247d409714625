package change_test

import (
	"errors"
	"fmt"

	"sluice/shared/change"
)

// A consumer reads what it needs by name and type.
func ExampleParse() {
	c, err := change.Parse([]byte(`{"eventName":"MODIFY","tableName":"UserScoreEvents","userIdentity":null,"dynamodb":{
		"ApproximateCreationDateTime":1720740233012995,"ApproximateCreationDateTimePrecision":"MICROSECOND",
		"Keys":{"UserId":{"S":"ada"},"Timestamp":{"S":"2024-07-11T23:23:53Z"}},
		"OldImage":{"UserId":{"S":"ada"},"Timestamp":{"S":"2024-07-11T23:23:53Z"},"Score":{"N":"5"}},
		"NewImage":{"UserId":{"S":"ada"},"Timestamp":{"S":"2024-07-11T23:23:53Z"},"Score":{"N":"12345678901234567890.5"}}}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	user, _ := c.Keys.String("UserId")
	before, _ := c.Old.Number("Score")
	after, _ := c.New.Number("Score")
	fmt.Println(c.Kind, c.Time().Format("15:04:05.000000"), user, before, "to", after)

	_, err = c.New.Number("Level")
	fmt.Println(err, errors.Is(err, change.ErrMissing))
	fmt.Printf("%s\n", c.New.AppendJSON(nil))
	// Output:
	// MODIFY 23:23:53.012995 ada 5 to 12345678901234567890.5
	// attribute "Level" is missing, want type N true
	// {"UserId":"ada","Timestamp":"2024-07-11T23:23:53Z","Score":12345678901234567890.5}
}

// Lambda's payload goes in as it is. A record that is no change says so itself.
func ExampleDecoder_Decode() {
	payload := []byte(`{"Records":[
		{"kinesis":{"sequenceNumber":"495901","data":"eyJldmVudE5hbWUiOiJJTlNFUlQiLCJ0YWJsZU5hbWUiOiJUIiwiZHluYW1vZGIiOnsiQXBwcm94aW1hdGVDcmVhdGlvbkRhdGVUaW1lIjoxNzIwNzQwMjMzMDEyLCJLZXlzIjp7ImlkIjp7Ik4iOiIxIn19LCJOZXdJbWFnZSI6eyJpZCI6eyJOIjoiMSJ9fX19"}},
		{"kinesis":{"sequenceNumber":"495902","data":"aGVsbG8="}}]}`)
	var d change.Decoder
	records, err := d.Decode(payload)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range records {
		if r.Err != nil {
			fmt.Println(r.SequenceNumber, r.Err)
			continue
		}
		fmt.Println(r.SequenceNumber, r.Change.Kind, r.Change.ItemKey())
	}
	// Output:
	// 495901 INSERT 1:T2:idN1:1
	// 495902 the data is no JSON object, at byte 0: "hello"
}
