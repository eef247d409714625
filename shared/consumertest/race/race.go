// Package race tells whether the race detector looks on. It makes a schedule of
// the simulator several times as expensive and looks for another kind of fault,
// which shows in few schedules as well as in many. So CI runs every schedule, every
// small world and all mutants without it, and a tenth of the former with it.
package race

// Share is how much of a suite runs when the race detector looks on: one of so many.
const Share = 10

// Thin returns every tenth of the cases, the first included, when the race detector looks
// on, and otherwise all of them.
func Thin[T any](cases []T) []T {
	if !Enabled {
		return cases
	}
	var some []T
	for n := 0; n < len(cases); n += Share {
		some = append(some, cases[n])
	}
	return some
}
