package notify

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/consumers/badges/internal/topictest"
	"sluice/shared/consumer"
)

// SNS refuses a batch as a whole for one notice. Fails for a Topic that has the
// others wait, or be rejected with it, or that tries the one for ever.
func TestOneBadNotice(t *testing.T) {
	for _, code := range []string{"InvalidParameter", "ParameterValueInvalid", "ValidationException"} {
		t.Run(code, func(t *testing.T) {
			s := subscribe(t, "awards")
			all := notices(15)
			bad := []int{2, 12, 13}
			s.subscriber.Line.Refuse = func(batch []topictest.Entry) string {
				for _, i := range bad {
					if slices.ContainsFunc(batch, func(e topictest.Entry) bool { return e.Attributes["id"] == all[i].ID }) {
						return code
					}
				}
				return ""
			}
			want := map[int]consumer.Outcome{}
			times := once(all)
			for _, i := range bad {
				want[i] = consumer.Rejected
				delete(times, all[i].ID)
			}
			outcomes(t, s.Publish(t.Context(), all), want)
			if diff := cmp.Diff(times, s.subscriber.ReceivedIDs(t)); diff != "" {
				t.Errorf("times that each came (-want +got):\n%s", diff)
			}
		})
	}
}

// SNS counts more than its documentation says. Fails for a Topic that doesn't send
// less at once then, or that takes a notice that is too large alone for one to retry.
func TestBatchTooLong(t *testing.T) {
	s := subscribe(t, "awards")
	all := notices(10)
	s.subscriber.Line.Refuse = func(batch []topictest.Entry) string {
		if len(batch) > 3 || slices.ContainsFunc(batch, func(e topictest.Entry) bool { return e.Attributes["id"] == all[9].ID }) {
			return "BatchRequestTooLong"
		}
		return ""
	}
	outcomes(t, s.Publish(t.Context(), all), map[int]consumer.Outcome{9: consumer.Rejected})
	times := once(all)
	delete(times, all[9].ID)
	if diff := cmp.Diff(times, s.subscriber.ReceivedIDs(t)); diff != "" {
		t.Errorf("times that each came (-want +got):\n%s", diff)
	}
}

// What only people can end isn't a notice's fault, and tells them what to do.
func TestWhatPeopleMustEnd(t *testing.T) {
	missing := subscribe(t, "awards")
	missing.ARN += "-no" // the real server says so
	refused := func(code string) *subscribed {
		s := subscribe(t, "awards")
		s.subscriber.Line.Refuse = func([]topictest.Entry) string { return code }
		return s
	}
	for name, test := range map[string]struct {
		topic *subscribed
		want  []string
	}{
		"no topic":  {missing, []string{"NotFound", "there is no such topic"}},
		"no rights": {refused("AuthorizationError"), []string{"AuthorizationError", "allow the function's role the action sns:Publish"}},
		"no key":    {refused("KMSAccessDenied"), []string{"KMSAccessDenied", "kms:GenerateDataKey"}},
	} {
		errs := test.topic.Publish(t.Context(), notices(2))
		outcomes(t, errs, map[int]consumer.Outcome{0: consumer.Retry, 1: consumer.Retry})
		for _, want := range append(test.want, "sns:Publish to "+test.topic.ARN) {
			if text := errs[1].Error(); !strings.Contains(text, want) {
				t.Errorf("%s: %q doesn't say %q", name, text, want)
			}
		}
		if calls := test.topic.subscriber.Line.Batches(); len(calls) != 1 {
			t.Errorf("%s: %d calls, want one", name, len(calls))
		}
	}
}

// SNS calls these invalid parameters, for which notices would be rejected.
func TestTopicThatIsNone(t *testing.T) {
	for arn, want := range map[string]error{
		"":                               ErrNoTopicARN,
		"awards":                         ErrNoTopicARN,
		"arn:aws:sqs:us-east-1:1:awards": ErrNoTopicARN,
		"arn:aws:sns:us-east-1:1:":       ErrNoTopicARN,
		"arn:aws:sns:us-east-1:1:awards:4c1d9a2e": ErrNoTopicARN, // a subscription's
		"arn:aws:sns:eu-west-1:1:awards":          ErrOtherRegion,
		"arn:aws:sns:us-east-11:1:awards":         ErrOtherRegion,
	} {
		s := subscribe(t, "awards")
		s.ARN = arn
		for _, err := range s.Publish(t.Context(), notices(2)) {
			if !errors.Is(err, want) || consumer.OutcomeOf(err) != consumer.Retry {
				t.Errorf("%q: %v, want %v", arn, err, want)
			}
		}
		if calls := s.subscriber.Line.Batches(); len(calls) != 0 {
			t.Errorf("%q: %d calls were made", arn, len(calls))
		}
	}
}
