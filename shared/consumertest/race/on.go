//go:build race

package race

// Enabled tells whether the race detector looks on.
const Enabled = true
