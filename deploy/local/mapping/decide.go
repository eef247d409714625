package mapping

import "sluice/deploy/local/template"

type policy struct {
	bisect     bool // BisectBatchOnFunctionError
	maxRetries int  // MaximumRetryAttempts
}

// portion is a number of records that are delivered together, and how many retries are already used up for them.
type portion struct {
	records int
	retries int
}

// decision is what to do after an invocation. Its parts follow each other in the order of the records: done records, then
// either the discarded ones or the rest, portion by portion.
type decision struct {
	done    int       // processed
	discard int       // given up: RetryAttemptsExhausted
	rest    []portion // to be delivered next, one after the other
}

// decide says what follows from the result of delivering p. It loses and repeats none: the parts of the decision always add up
// to p's records. https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
func decide(policy policy, p portion, r result) decision {
	left := p.records - r.done
	switch {
	case left == 0:
		return decision{done: p.records}

	case r.done > 0:
		// The checkpoint moves to the first record that was reported, and the retries are counted anew from there. So
		// AWS does, with bisecting and without it.
		return decision{done: r.done, rest: []portion{{left, 0}}}

	case policy.bisect && r.whole && left > 1:
		// "If the function returns an error, split the batch in two and retry." "Splitting batches doesn't consume the
		// retry quota."
		half := left / 2
		return decision{rest: []portion{{half, p.retries}, {left - half, p.retries}}}

	case policy.maxRetries != template.Endless && p.retries >= policy.maxRetries:
		return decision{discard: left}

	default:
		return decision{rest: []portion{{left, p.retries + 1}}}
	}
}
