package rebuild

import (
	"sync"

	"sluice/shared/aggregate"
)

// counting guards the progress, which several segments make at once.
type counting struct{ mu sync.Mutex }

// tell changes the progress and tells it.
func (r *run) tell(change func(*Progress)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.progress)
	if r.Progress != nil {
		r.Progress(r.progress)
	}
}

// enter begins a phase.
func (r *run) enter(generation int64, phase aggregate.Phase) {
	if phase == "" {
		return
	}
	r.tell(func(p *Progress) {
		p.Generation, p.Phase, p.Items, p.Total = generation, phase, 0, 0
	})
}

// count adds items that were read.
func (r *run) count(items, unusable int) {
	r.tell(func(p *Progress) {
		p.Items += items
		p.Unusable += unusable
	})
}
