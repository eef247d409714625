package badges

import (
	"slices"
	"strings"
	"sync"

	"sluice/consumers/badges/internal/awards"
	"sluice/consumers/badges/rule"
)

// The bounds of what an instance remembers: of how many players, and how many bytes their
// names may have.
const (
	memorySize  = 10_000
	memoryBytes = 2 << 20
)

// memory is what an instance remembers of players, to save reads. It is a help, not a
// promise: another instance doesn't know it. It holds no text of a batch, since one string
// of a batch would keep the whole batch in memory, and nothing that grows with a player's
// awards.
type memory struct {
	levels map[string]int // the number of each level that hasAll asks for, by its award's key
	blocks []*rule.Plays  // of the rules

	mu      sync.Mutex // guards what follows
	players map[string]*remembered
	bytes   int // of the players' names
}

// remembered is what is known of a player.
type remembered struct {
	days []string // that were last looked at since they have come, by the block of plays
	have []bool   // levels that the player has, by their numbers
}

// newMemory returns a memory that knows nothing.
func newMemory(book *rule.Book) *memory {
	m := &memory{levels: map[string]int{}, blocks: book.Plays, players: map[string]*remembered{}}
	for _, r := range book.Rules {
		if isKnownWhole(r) {
			for _, l := range r.Levels {
				m.levels[rule.Award{Badge: r.Name, Level: l.Name}.Key()] = len(m.levels)
			}
		}
	}
	return m
}

// isKnownWhole reports whether hasAll may know that a player has all that the rule gives.
func isKnownWhole(r *rule.Rule) bool { return r.Spreads() && !r.Revoke }

// of returns what is known of a player. The caller holds the lock.
func (m *memory) of(player string) *remembered {
	known := m.players[player]
	if known == nil {
		if len(m.players) >= memorySize || m.bytes+len(player) > memoryBytes {
			clear(m.players)
			m.bytes = 0
		}
		known = &remembered{days: make([]string, len(m.blocks)), have: make([]bool, len(m.levels))}
		m.players[strings.Clone(player)] = known
		m.bytes += len(player)
	}
	return known
}

// looksAt reports whether the instance looks at a player's day of a block of plays for the first time, and notes
// that it does. A play may have been dated before its day had come, and nobody has looked then.
func (m *memory) looksAt(player string, plays *rule.Plays, day string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	last := &m.of(player).days[slices.Index(m.blocks, plays)]
	if *last == day {
		return false
	}
	*last = strings.Clone(day)
	return true
}

// remember notes an award that is known to be stored.
func (m *memory) remember(a *awards.Achievement) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n, asked := m.levels[a.Award.Key()]; asked {
		m.of(a.Player).have[n] = true
	}
}

// hasAll reports whether a player is known to have all that a rule can ever give.
func (m *memory) hasAll(player string, r *rule.Rule) bool {
	if !isKnownWhole(r) {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	known := m.players[player]
	if known == nil {
		return false
	}
	for _, l := range r.Levels {
		if !known.have[m.levels[rule.Award{Badge: r.Name, Level: l.Name}.Key()]] {
			return false
		}
	}
	return true
}
