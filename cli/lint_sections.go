package cli

import (
	"errors"
	"fmt"

	"sluice/cli/verb"
	"sluice/deploy/sections"
	"sluice/shared/declaration"
	"sluice/shared/operate"
)

// lintSections compares the templates of the checkout with what the declarations ask for, or writes it.
func (c *lintCommand) lintSections(p declaration.Pipeline, consumers registry) error {
	root, err := verb.Checkout()
	if err != nil && c.Fix {
		return err
	}
	if err != nil {
		return nil //nolint:nilerr // declarations that ship in the program can be checked anywhere
	}
	files, err := sections.Checkout(root, p, operate.Offering[operate.Declarer](consumers))
	faults := []error{err}
	for _, f := range files {
		line, now, want := f.FirstDifference()
		switch {
		case !f.HasSections():
			verb.Say("%s has no sections \"# sluice:\", so it isn't compared with the declarations\n", f.Path)
		case line == 0:
		case c.Fix:
			if err := f.Write(root); err != nil {
				return err
			}
			verb.Say("%s: written anew for the declarations\n", f.Path)
		default:
			faults = append(faults, fmt.Errorf("%s:%d: the declarations ask for %q, not %q; \"sluice lint --fix\" writes what they ask for", f.Path, line, want, now))
		}
	}
	if err := errors.Join(faults...); err != nil {
		return fmt.Errorf("the templates aren't as the declarations ask for:\n%w", err)
	}
	return nil
}
