package badges

import (
	"sync"

	"sluice/consumers/badges/rule"
)

// memorySize bounds of how many players an instance remembers what they have.
const memorySize = 10_000

// memory is what an instance knows that players have and that nobody takes back. It saves
// reads, and is a help, not a promise: another instance knows nothing of it.
type memory struct {
	mu   sync.Mutex                 // guards what follows
	have map[string]map[string]bool // keys of awards, by player
	days map[string]string          // the day that was last looked at since it has come, by player
}

// newMemory returns one that knows nothing.
func newMemory() *memory {
	return &memory{have: map[string]map[string]bool{}, days: map[string]string{}}
}

// looksAt tells whether the instance looks at a player's day for the first time, and notes
// that it does. A play may have been dated before its day had come, and nobody has looked then.
func (m *memory) looksAt(player, day string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.days) >= memorySize {
		clear(m.days)
	}
	first := m.days[player] != day
	m.days[player] = day
	return first
}

// remember notes awards that are known to be stored.
func (m *memory) remember(player string, awards ...*Achievement) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.have) >= memorySize {
		clear(m.have)
	}
	if m.have[player] == nil {
		m.have[player] = map[string]bool{}
	}
	for _, a := range awards {
		m.have[player][a.Award.Key()] = true
	}
}

// hasAll tells whether a player is known to have all that a rule can ever give.
func (m *memory) hasAll(player string, r *rule.Rule) bool {
	if !r.Spreads() || r.Revoke {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, l := range r.Levels {
		if !m.have[player][rule.Award{Badge: r.Name, Level: l.Name}.Key()] {
			return false
		}
	}
	return true
}
