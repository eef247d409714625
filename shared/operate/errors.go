package operate

type notYetError struct{ error }

func (e notYetError) Unwrap() error { return e.error }

// NotYet wraps the error of a look that couldn't compare, though a later one may: the destination isn't made yet.
func NotYet(err error) error {
	if err == nil {
		return nil
	}
	return notYetError{err}
}
