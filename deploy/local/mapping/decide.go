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

// decision is what to do after an invocation with its records, in their order: some are done, then some are discarded or remain.
type decision struct {
	done    int       // processed
	discard int       // given up: RetryAttemptsExhausted
	rest    []portion // to be delivered next, one after the other
}

// decide loses and repeats no record of p: https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
func decide(policy policy, p portion, r result) decision {
	left := p.records - r.done
	switch {
	case left == 0:
		return decision{done: p.records}

	case r.done > 0:
		// The checkpoint moves to the first record that was reported, and AWS counts the retries from there.
		return decision{done: r.done, rest: []portion{{left, 0}}}

	case policy.bisect && r.whole && left > 1:
		// "If the function returns an error, split the batch in two and retry", which "doesn't consume the retry quota."
		half := left / 2
		return decision{rest: []portion{{half, p.retries}, {left - half, p.retries}}}

	case policy.maxRetries != template.Endless && p.retries >= policy.maxRetries:
		return decision{discard: left}

	default:
		return decision{rest: []portion{{left, p.retries + 1}}}
	}
}
