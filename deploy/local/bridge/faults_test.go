package bridge_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
)

// faultyTransport stands between the bridge and Kinesis, and spoils PutRecords calls as Kinesis or the network may.
type faultyTransport struct {
	// refuse answers every so-manieth entry with a throttling error instead of passing it on; 0: none.
	refuse int
	// lose drops the answer of every so-manieth call that was carried out; 0: none.
	lose int

	mu      sync.Mutex
	entries int
	calls   int
}

func (f *faultyTransport) Do(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".PutRecords") {
		return http.DefaultClient.Do(r)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var call map[string]json.RawMessage
	var entries []json.RawMessage
	if err := decode(r.Body, &call); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(call["Records"], &entries); err != nil {
		return nil, err
	}
	refused := make([]bool, len(entries))
	passed := []json.RawMessage{}
	for i, entry := range entries {
		f.entries++
		if refused[i] = f.refuse > 0 && f.entries%f.refuse == 0; !refused[i] {
			passed = append(passed, entry)
		}
	}
	answer := map[string]any{}
	var answers []any
	if len(passed) > 0 {
		records, err := json.Marshal(passed)
		if err != nil {
			return nil, err
		}
		call["Records"] = records
		body, err := json.Marshal(call)
		if err != nil {
			return nil, err
		}
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		response, err := http.DefaultClient.Do(r)
		if err != nil || response.StatusCode != http.StatusOK {
			return response, err
		}
		defer response.Body.Close()
		if err := decode(response.Body, &answer); err != nil {
			return nil, err
		}
		answers = answer["Records"].([]any)
	}
	if f.calls++; f.lose > 0 && f.calls%f.lose == 0 {
		return nil, errors.New("connection reset by the test")
	}
	var merged []any
	for _, r := range refused {
		if r {
			merged = append(merged, map[string]any{"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "refused by the test"})
		} else {
			merged = append(merged, answers[0])
			answers = answers[1:]
		}
	}
	answer["Records"], answer["FailedRecordCount"] = merged, len(entries)-len(passed)
	body, err := json.Marshal(answer)
	if err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}},
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}, nil
}

func decode(r io.Reader, into any) error { return json.NewDecoder(r).Decode(into) }
