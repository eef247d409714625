package consumer

import "golang.org/x/sync/errgroup"

// SideBySide calls do for each of all, at most limit calls at a time in the order of all, and returns when the last one has.
func SideBySide[T any](limit int, all []T, do func(T)) {
	var group errgroup.Group
	group.SetLimit(limit)
	for _, one := range all {
		group.Go(func() error {
			do(one)
			return nil
		})
	}
	_ = group.Wait() // there is no error
}
