package mapping

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// result is what an invocation means for its batch: its first done records are processed.
type result struct {
	done   int
	whole  bool   // says that the batch has failed as a whole: the function named no record of it
	reason string // why it failed, for people
}

func failedWhole(format string, args ...any) result {
	return result{whole: true, reason: fmt.Sprintf(format, args...)}
}

// readAnswer reads the answer of a function whose mapping has ReportBatchItemFailures:
// https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
//
// "Lambda treats a batch as a complete success if you return: an empty batchItemFailure list, a null batchItemFailure
// list, an empty EventResponse, a null EventResponse", which it takes "" and [] for, too, and "as a complete failure if you return: an empty string
// itemIdentifier, a null itemIdentifier, an itemIdentifier with a bad key name". "If the batchItemFailures array contains
// multiple items, Lambda uses the record with the lowest sequence number as the checkpoint."
func readAnswer(body []byte, records []record) result {
	success := result{done: len(records)}
	switch string(bytes.TrimSpace(body)) {
	case "", `""`, "[]", "null":
		return success
	}
	// Into maps: into structs, a key in the wrong case would be taken for the right one.
	var answer map[string]json.RawMessage
	if err := json.Unmarshal(body, &answer); err != nil {
		return failedWhole("the answer is not a JSON object: %v", err)
	}
	list, given := answer["batchItemFailures"]
	if !given {
		return success
	}
	var failures []map[string]json.RawMessage
	if err := json.Unmarshal(list, &failures); err != nil {
		return failedWhole("batchItemFailures is not a list of objects: %v", err)
	}
	first := len(records)
	for i, failure := range failures {
		var id *string
		if raw, given := failure["itemIdentifier"]; !given {
			return failedWhole("batchItemFailures[%d] has no itemIdentifier", i)
		} else if err := json.Unmarshal(raw, &id); err != nil {
			return failedWhole("itemIdentifier %d is not a string: %v", i, err)
		}
		if id == nil || *id == "" {
			return failedWhole("itemIdentifier %d is empty", i)
		}
		place := slices.IndexFunc(records, func(r record) bool { return r.sequence == *id })
		if place < 0 {
			return failedWhole("itemIdentifier %d is %q, which is no sequence number of the batch", i, *id)
		}
		first = min(first, place)
	}
	if first == len(records) {
		return success
	}
	return result{done: first, reason: fmt.Sprintf("the function reported %d of %d records as failed, the first is number %d", len(failures), len(records), first+1)}
}
