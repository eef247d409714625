package operate

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ErrNotConfirmed is returned when there is nobody to ask, and no consent was given in advance.
var ErrNotConfirmed = errors.New("nothing was written: there is no terminal to ask on; if the plan is right, add --yes")

// ErrDeclined is returned when the answer wasn't yes.
var ErrDeclined = errors.New("nothing was written: the answer wasn't yes")

// Consent says how to ask for consent to a plan.
type Consent struct {
	Yes    bool // consent was given in advance
	DryRun bool // the plan is all that is wanted
	Removal
	// Terminal: In is a terminal, so somebody can be asked there.
	Terminal bool
	In       io.Reader
	Out      io.Writer // where plan and question are written
}

// To prints the plan and reports whether somebody agreed to it. It returns false without an error if the plan is empty, or after a
// dry run. It returns a *BeyondError if the plan deletes too much, ErrNotConfirmed or ErrDeclined.
func (c Consent) To(ctx context.Context, p Plan) (bool, error) {
	if err := p.Print(c.Out); err != nil {
		return false, err
	}
	if p.Empty() {
		_, err := fmt.Fprintln(c.Out, "There is nothing to write.")
		return false, err
	}
	if err := c.Check(p); err != nil {
		return false, err
	}
	switch {
	case c.DryRun:
		_, err := fmt.Fprintln(c.Out, "A dry run: nothing was written.")
		return false, err
	case c.Yes:
		return true, nil
	case !c.Terminal:
		return false, ErrNotConfirmed
	}
	return c.Ask(ctx)
}

// Ask asks whether to go on. It returns ErrDeclined if the answer isn't yes.
func (c Consent) Ask(ctx context.Context) (bool, error) {
	if _, err := fmt.Fprint(c.Out, "Type yes to go on: "); err != nil {
		return false, err
	}
	answers := make(chan string, 1)
	go func() { // until there is an answer, or the process ends
		line, _ := bufio.NewReader(c.In).ReadString('\n') // without one it's no yes
		answers <- line
	}()
	select {
	case <-ctx.Done():
		return false, context.Cause(ctx)
	case line := <-answers:
		if strings.TrimSpace(line) != "yes" {
			return false, ErrDeclined
		}
		return true, nil
	}
}
