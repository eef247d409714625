package deployed

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
)

// A consumer is found by its own stack's name and by those of the stacks around it, at every depth. Who names a stack without it is told
// of the consumers that are there; a stack of a template without the output Consumer is taken as it is.
func TestFind(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	inner := `{"Parameters": {"StreamArn": {"Type": "String"}}, "Resources": {"Search": ` + w.nested(consumerTemplate("return {}", named("search"))) + `}}`
	badges := `: ` + w.nested(consumerTemplate("return {}", named("badges")))
	w.deploy("game", `"More": `+w.nested(inner)+`, "Badges"`+badges+`, "Nothing": `+w.nested(`{"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}`))
	w.deploy("twice", `"First"`+badges+`, "Second"`+badges)
	w.deployConsumer("alone", consumerTemplate("return {}", named("leaderboard")))
	w.deployConsumer("old", consumerTemplate("return {}", `"Other": {"Value": "x"}`))
	client := cloudformation.NewFromConfig(w.cfg)
	for _, c := range []struct{ stack, consumer, found, fails string }{
		{"game", "search", "game-More", ""},
		{"game", "badges", "game-Badges", ""},
		{"alone", "leaderboard", "alone", ""},
		{"old", "search", "old", ""},
		{"game", "leaderboard", "", "stack game has no consumer leaderboard, nor has one nested in it, but "},
		{"alone", "badges", "", "stack alone has no consumer badges, nor has one nested in it, but leaderboard; name the stack of badges"},
		{"twice", "badges", "", "stack twice has 2 nested stacks of consumer badges; name one of them, such as twice-First"},
		{"nosuch", "badges", "", "look up stack nosuch in region us-east-1"},
	} {
		s, err := Find(t.Context(), client, c.stack, c.consumer)
		if c.fails != "" {
			if err == nil || !strings.HasPrefix(err.Error(), c.fails) {
				t.Errorf("%s of %s: error %v, want one that begins with %q", c.consumer, c.stack, err, c.fails)
			}
			_, others := errors.AsType[*OtherConsumersError](err)
			if others != strings.Contains(c.fails, "has no consumer") {
				t.Errorf("%s of %s: error %T", c.consumer, c.stack, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s of %s: %v", c.consumer, c.stack, err)
			continue
		}
		if !strings.HasPrefix(s.Name, c.found) || s.Function == "" {
			t.Errorf("%s of %s: found %+v, want stack %s with its function", c.consumer, c.stack, s, c.found)
		}
		if direct, err := Find(t.Context(), client, s.Name, c.consumer); err != nil || direct.Name != s.Name {
			t.Errorf("stack %s of %s by its own name: %+v, %v", s.Name, c.consumer, direct, err)
		}
	}
}
