package verb

import (
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// Bar shows on a terminal how many things are done. A nil Bar shows nothing.
type Bar struct{ bar *progressbar.ProgressBar }

// NewBar returns a bar for so many things, such as "items". If the total is -1, nobody knows it.
func NewBar(out io.Writer, things string, total int) *Bar {
	return &Bar{progressbar.NewOptions(total, progressbar.OptionSetWriter(out), progressbar.OptionSetDescription("  "+things),
		progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())}
}

// Set shows how many things are done. The total grows with them, since it is often an estimate.
func (b *Bar) Set(done int) {
	if b == nil {
		return
	}
	if total := b.bar.GetMax(); total > 0 && done > total {
		b.bar.ChangeMax(done)
	}
	_ = b.bar.Set(done) // only the terminal could fail
}

// Clear makes room for a line of text. The next Set shows the bar again.
func (b *Bar) Clear() {
	if b != nil {
		_ = b.bar.Clear()
	}
}

// Finish ends the bar, and clears it.
func (b *Bar) Finish() {
	if b != nil {
		_ = b.bar.Finish()
	}
}
