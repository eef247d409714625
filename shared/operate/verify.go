package operate

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Verified is what the comparisons of one consumer found.
type Verified struct {
	Consumer string   `json:"consumer"`
	Reports  []Report `json:"reports"`
	// Faults say what wasn't compared to its end, and why.
	Faults []string `json:"faults,omitempty"`

	comparisons       []Comparison // of the reports
	failed            []error
	unfinished        []string // names of what wasn't compared to its end
	repaired, removed bool
}

// NotVerified says of a consumer that can't be compared why.
func NotVerified(consumer string, err error) *Verified {
	return &Verified{Consumer: consumer, Reports: []Report{}, Faults: []string{err.Error()}, failed: []error{err}}
}

// Verify makes one comparison after the other. One that fails doesn't keep the others from being made, unless ctx ended.
func Verify(ctx context.Context, consumer string, comparisons []Comparison, o Judging) *Verified {
	v := &Verified{Consumer: consumer, Reports: []Report{}, comparisons: comparisons}
	for i, c := range comparisons {
		name := c.Title().Name
		if ctx.Err() != nil {
			v.fault(name, fmt.Errorf("%s: not compared at all", name))
			continue
		}
		r, err := Compare(ctx, c, o)
		v.Reports, v.comparisons = append(v.Reports, r), comparisons[:i+1]
		if err != nil {
			v.fault(name, fmt.Errorf("%s: not compared to the end, after %s: %w", name, Count(r.Items, "item"), err))
		}
	}
	return v
}

func (v *Verified) fault(name string, err error) {
	v.unfinished, v.failed, v.Faults = append(v.unfinished, name), append(v.failed, err), append(v.Faults, err.Error())
}

// Differences counts what differs.
func (v *Verified) Differences() int {
	n := 0
	for _, r := range v.Reports {
		n += len(r.Differences)
	}
	return n
}

// ErrNoRepair is returned for a consumer whose destinations no repair writes.
var ErrNoRepair = errors.New("no repair writes these destinations; the report names the command that helps")

// Repair prints the plan, which is p with the steps of all repairs, asks for consent, and repairs what differs. It does nothing if
// something wasn't compared to its end.
func (v *Verified) Repair(ctx context.Context, p Plan, consent Consent) error {
	if len(v.failed) > 0 {
		return nil
	}
	repairs := map[int]Repairer{}
	for i, c := range v.comparisons {
		if repairer, can := c.(Repairer); can {
			repairs[i] = repairer
			p.Steps = append(p.Steps, repairer.Steps(v.Reports[i], consent.Allowed)...)
		}
	}
	if len(repairs) == 0 && len(v.comparisons) > 0 {
		return ErrNoRepair
	}
	if ok, err := consent.To(ctx, p); err != nil || !ok {
		return err
	}
	for i, r := range v.Reports {
		if repairs[i] == nil || len(r.Differences) == 0 {
			continue
		}
		if err := repairs[i].Repair(ctx, r.Differences, consent.Allowed); err != nil {
			return GoOn(fmt.Errorf("repair %s: %w", r.Name, err), "What was repaired stays. Run the same again: it repairs the rest.")
		}
	}
	v.repaired, v.removed = true, consent.Allowed
	return nil
}

// Err returns nil if everything was compared and nothing differs. Otherwise it says what wasn't compared, how many items differ, and
// which command helps.
func (v *Verified) Err() error {
	faults := v.failed
	if v.Differences() > 0 {
		faults = append(faults, errors.New(v.advice()))
	}
	hint := ""
	if len(v.unfinished) > 0 {
		hint = "Not compared to the end, so nothing is known of it: " + strings.Join(v.unfinished, ", ") + ". Run the same again."
	}
	return GoOn(errors.Join(faults...), hint)
}
