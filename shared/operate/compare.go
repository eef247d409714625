package operate

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	smithytime "github.com/aws/smithy-go/time"
)

// DefaultPatience is how long a difference has to stay before it counts.
const DefaultPatience = 10 * time.Second

const (
	// movingPatience is for how many times Patience a difference is looked at again while its destination's side changes.
	movingPatience = 3
	minLooks       = 3                      // at a difference whose destination's side changes
	minPause       = 500 * time.Millisecond // between two looks
)

// Judging says when a difference counts. The zero value looks again at once.
type Judging struct {
	// Patience is how long a difference has to stay, while the destination's side of it doesn't change, before it counts. Changes
	// in flight must have arrived by then.
	Patience time.Duration
	// Wait is how long at most the comparison looks again until nothing differs, though what differs counts already.
	Wait time.Duration
	// Waiting, if set, is called once before what differs is looked at again, with how many items differ and how long that takes at
	// most. Postponed is called once if nothing could be compared yet.
	Waiting   func(differ int, most time.Duration)
	Postponed func(why error, until time.Time)
	// Now and Sleep are this machine's clock if nil.
	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error
}

// Most is how long a comparison looks again at most.
func (o Judging) Most() time.Duration { return max(o.Wait, movingPatience*o.Patience) }

func (o Judging) sleep(ctx context.Context, d time.Duration) error {
	if o.Sleep == nil {
		return smithytime.SleepWithContext(ctx, d)
	}
	return o.Sleep(ctx, d)
}

// suspect is an item that has differed at every look so far.
type suspect struct {
	Difference

	since  time.Time // the end of the look after which the destination's side didn't change
	judged bool      // it has stayed for Patience
}

// Compare compares until each difference is judged. After an error the report has what the first look found; nothing is known of
// what differs.
func Compare(ctx context.Context, c Comparison, o Judging) (Report, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	Within(ctx, o.Wait)
	j := &judgement{Comparison: c, Judging: o, suspects: map[string]*suspect{}, deadline: o.Now().Add(o.Wait)}
	err := j.first(ctx)
	if err == nil {
		err = j.again(ctx)
	}
	return j.report(), err
}

// judgement is one call of Compare.
type judgement struct {
	Comparison
	Judging

	deadline time.Time // of Wait
	moving   time.Time // when what still changes is given up
	last     Look
	seen     int // differences at the first look
	suspects map[string]*suspect
}

// first looks at everything.
func (j *judgement) first(ctx context.Context) (err error) {
	for told := false; ; told = true {
		j.last, err = j.Look(ctx, nil)
		if _, notYet := errors.AsType[notYetError](err); !notYet || !j.Now().Before(j.deadline) {
			break
		}
		if !told && j.Postponed != nil {
			j.Postponed(err, j.deadline)
		}
		if err := j.sleep(ctx, minPause); err != nil {
			return err
		}
	}
	now := j.Now()
	for _, d := range j.last.Differences {
		j.suspects[d.Key] = &suspect{Difference: d, since: now}
	}
	j.seen = len(j.suspects)
	return err
}

// again looks at what differs until that is judged, and the wait is over.
func (j *judgement) again(ctx context.Context) error {
	j.moving = j.Now().Add(j.Most())
	if len(j.suspects) > 0 && j.Waiting != nil {
		j.Waiting(len(j.suspects), j.Most())
	}
	pause := minPause
	for looks := 1; j.open(looks); looks++ {
		if err := j.sleep(ctx, j.pause(pause)); err != nil {
			return err
		}
		began := j.Now()
		if err := j.update(ctx, began); err != nil {
			return err
		}
		pause = min(2*pause, max(minPause, j.Patience))
		pause = max(pause, j.Now().Sub(began)) // a look may take long
	}
	return nil
}

// open reports whether there is a reason to look again.
func (j *judgement) open(looks int) bool {
	if len(j.suspects) == 0 {
		return false
	}
	if now := j.Now(); looks == 1 || now.Before(j.deadline) {
		return true
	} else if looks >= minLooks && !now.Before(j.moving) {
		return false
	}
	for _, s := range j.suspects {
		if !s.judged {
			return true
		}
	}
	return false
}

// pause shortens a pause to what the next judgement, or the end of the wait, needs.
func (j *judgement) pause(pause time.Duration) time.Duration {
	now := j.Now()
	var need time.Duration
	for _, s := range j.suspects {
		if !s.judged {
			need = max(need, s.since.Add(j.Patience).Sub(now))
		}
	}
	if need == 0 && j.deadline.After(now) {
		need = j.deadline.Sub(now)
	}
	if left := j.moving.Sub(now); left > 0 {
		need = min(need, left)
	}
	return min(pause, need)
}

// update looks at the suspects again.
func (j *judgement) update(ctx context.Context, began time.Time) error {
	var before []Difference
	for _, key := range slices.Sorted(maps.Keys(j.suspects)) {
		before = append(before, j.suspects[key].Difference)
	}
	look, err := j.Look(ctx, before)
	if err != nil {
		return err
	}
	j.last = look
	now := j.Now()
	left := map[string]*suspect{}
	for _, d := range look.Differences {
		s := j.suspects[d.Key]
		if s == nil {
			continue // it began to differ after the first look
		}
		if s.Difference = d; d.Moving {
			s.since, s.judged = now, false
		} else {
			s.judged = !began.Before(s.since.Add(j.Patience))
		}
		left[d.Key] = s
	}
	j.suspects = left
	return nil
}

// report sums up.
func (j *judgement) report() Report {
	r := Report{Title: j.Title(), Look: j.last, Unjudged: []Difference{}, Arrived: j.seen - len(j.suspects)}
	r.Differences = []Difference{}
	for _, s := range j.suspects {
		if s.judged {
			r.Differences = append(r.Differences, s.Difference)
		} else {
			r.Unjudged = append(r.Unjudged, s.Difference)
		}
	}
	for _, some := range [][]Difference{r.Differences, r.Unjudged} {
		slices.SortFunc(some, func(a, b Difference) int { return cmp.Compare(a.Key, b.Key) })
	}
	slices.SortFunc(r.Unusable, func(a, b Unusable) int {
		return cmp.Or(cmp.Compare(a.Table, b.Table), cmp.Compare(a.Key, b.Key), cmp.Compare(a.Reason, b.Reason))
	})
	return r
}
