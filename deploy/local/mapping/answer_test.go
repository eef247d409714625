package mapping

import "testing"

func TestReadAnswer(t *testing.T) {
	batch := []record{{sequence: "10"}, {sequence: "20"}, {sequence: "30"}}
	const n, whole = 3, -1
	for _, test := range []struct {
		name, body string
		want       int // how many are done, or whole
	}{
		// What is documented as a complete success.
		{"empty list", `{"batchItemFailures":[]}`, n},
		{"null list", `{"batchItemFailures":null}`, n},
		{"empty response", `{}`, n},
		{"null response", `null`, n},
		{"no response", ``, n},
		{"blank response", " \n", n},
		// What responses recorded on AWS show to be one.
		{"empty text", `""`, n},
		{"empty list", `[]`, n},
		{"blanks around it", " [] ", n},
		{"other keys only", `{"ok":true}`, n},
		{"list under a key in another case", `{"BatchItemFailures":[{"itemIdentifier":"20"}]}`, n},

		// What is documented as a complete failure.
		{"empty identifier", `{"batchItemFailures":[{"itemIdentifier":""}]}`, whole},
		{"null identifier", `{"batchItemFailures":[{"itemIdentifier":null}]}`, whole},
		{"bad key name", `{"batchItemFailures":[{"itemId":"20"}]}`, whole},
		{"key in another case", `{"batchItemFailures":[{"ItemIdentifier":"20"}]}`, whole},
		{"unknown number", `{"batchItemFailures":[{"itemIdentifier":"25"}]}`, whole},
		{"number that is not a string", `{"batchItemFailures":[{"itemIdentifier":20}]}`, whole},
		{"one good, one bad", `{"batchItemFailures":[{"itemIdentifier":"20"},{"itemIdentifier":""}]}`, whole},
		{"null failure", `{"batchItemFailures":[null]}`, whole},

		// What is not documented.
		{"not JSON", `ok`, whole},
		{"text", `"ok"`, whole},
		{"list", `[1]`, whole},
		{"list of lists", `[[]]`, whole},
		{"blank text", `" "`, whole},
		{"failures in no list", `{"batchItemFailures":{"itemIdentifier":"20"}}`, whole},
		{"list of texts", `{"batchItemFailures":["20"]}`, whole},

		{"the first", `{"batchItemFailures":[{"itemIdentifier":"10"}]}`, 0},
		{"the second", `{"batchItemFailures":[{"itemIdentifier":"20"}]}`, 1},
		{"the last", `{"batchItemFailures":[{"itemIdentifier":"30"}]}`, 2},
		{"the lowest counts", `{"batchItemFailures":[{"itemIdentifier":"30"},{"itemIdentifier":"20"}]}`, 1},
		{"all", `{"batchItemFailures":[{"itemIdentifier":"30"},{"itemIdentifier":"20"},{"itemIdentifier":"10"}]}`, 0},
		{"twice", `{"batchItemFailures":[{"itemIdentifier":"30"},{"itemIdentifier":"30"}]}`, 2},
		{"with other keys", `{"x":1,"batchItemFailures":[{"y":2,"itemIdentifier":"20"}]}`, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := readAnswer([]byte(test.body), batch)
			if test.want == whole {
				if !got.whole || got.done != 0 || got.reason == "" {
					t.Errorf("readAnswer(%s) = %+v, want a failure of the whole with a reason", test.body, got)
				}
				return
			}
			if got.whole || got.done != test.want || (got.reason == "") != (test.want == n) {
				t.Errorf("readAnswer(%s) = %+v, want %d done", test.body, got, test.want)
			}
		})
	}
}
