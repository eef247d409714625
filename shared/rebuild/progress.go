package rebuild

import (
	"slices"

	"sluice/shared/operate"
)

// tell changes the progress and tells it.
func (r *run) tell(change func(*Progress)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.progress)
	if r.Progress != nil {
		r.Progress(r.progress)
	}
}

// count adds items that were read, and those among them that can't be used.
func (r *run) count(items int, unusable []operate.Unusable) {
	r.tell(func(p *Progress) {
		p.Items += items
		p.Unusable += len(unusable)
		p.Named = append(slices.Clip(p.Named), unusable[:min(len(unusable), MaxNamed-len(p.Named))]...)
	})
}
