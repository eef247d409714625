package redrive

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// Reply is what an invocation gave.
type Reply struct {
	Answer []byte
	// Log is what the function wrote, or the end of it. It only serves to tell what became of the records.
	Log []byte
	// Failure is set if the function itself failed, and so gave no answer.
	Failure error
}

// Counts are what became of records, as the function's metrics tell it. Retried ones are in the queue still; rejected
// ones are in it anew.
type Counts struct {
	Taken, Applied, Duplicate, Stale, Skipped, Retried, Rejected int
}

// Add adds other counts.
func (c *Counts) Add(o Counts) {
	c.Taken += o.Taken
	c.Applied += o.Applied
	c.Duplicate += o.Duplicate
	c.Stale += o.Stale
	c.Skipped += o.Skipped
	c.Retried += o.Retried
	c.Rejected += o.Rejected
}

// Told is what a function's log says of an invocation.
type Told struct {
	Counts Counts
	Known  bool // whether there was a line of metrics
	// Rejected and Again are why a record was refused, the last of several, and why one has to come again.
	Rejected, Again string
	// Kept is why each of the refused records was, by its sequence number.
	Kept map[string]string
}

// ReadLog finds in a function's log what became of its records.
func ReadLog(log []byte) Told {
	told := Told{Kept: map[string]string{}}
	for line := range bytes.Lines(log) {
		if !bytes.HasPrefix(line, []byte("{")) {
			continue
		}
		var l struct {
			AWS json.RawMessage `json:"_aws"`
			Counts
			Reason   string `json:"reason"`
			Error    string `json:"error"`
			ItsError string `json:"itsError"`
			Sequence string `json:"sequenceNumber"`
		}
		if json.Unmarshal(line, &l) != nil {
			continue // another line of the function's own
		}
		switch {
		case l.AWS != nil:
			told.Counts.Add(l.Counts)
			told.Known = true
		case l.ItsError != "":
			told.Again = l.ItsError
		case l.Reason != "" && l.Error != "":
			told.Rejected = l.Reason + ": " + l.Error
			told.Kept[l.Sequence] = told.Rejected
		}
	}
	return told
}

// Again returns the sequence numbers that have to come again, by the answer of a function whose mapping has
// ReportBatchItemFailures. Unlike Lambda it takes no answer for a success that doesn't say so: whatever isn't known to
// be done stays in the queue. Redriven is what the function says of itself, see consumer.RedriveContext.
func Again(answer []byte) (again []string, redriven bool, err error) {
	var a struct {
		Redriven bool `json:"redriven"`
		Failures *[]struct {
			Identifier *string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if err := json.Unmarshal(answer, &a); err != nil {
		return nil, false, fmt.Errorf("the function's answer %.200q is not that of a consumer: %w", answer, err)
	}
	if a.Failures == nil {
		return nil, false, fmt.Errorf("the function's answer %.200q is not that of a consumer: it has no batchItemFailures", answer)
	}
	for _, f := range *a.Failures {
		if f.Identifier == nil || *f.Identifier == "" {
			return nil, false, errors.New("the function's answer names a record without a sequence number")
		}
		again = append(again, *f.Identifier)
	}
	return again, a.Redriven, nil
}
