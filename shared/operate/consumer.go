package operate

import (
	"context"
	"time"
)

// Consumer is what a consumer's operators' room, the package ops in its folder, registers with the command line. What else it
// offers, it says by the optional interfaces [Verifier] and [Backfiller].
type Consumer interface {
	// Name is the name of the consumer's folder, such as "search". Verbs take it as their argument.
	Name() string
}

// Verifier is a Consumer whose destinations can be compared with their sources: sluice verify NAME.
type Verifier interface {
	Consumer
	// Verify returns a new Verification, a pointer to a struct. Its exported fields with kong's tags are the flags that only
	// this consumer has.
	Verify() Verification
}

// Verification opens what is compared, after its flags were read.
type Verification interface {
	// Open returns a Comparison for each destination. It reads no item.
	Open(ctx context.Context, p Part, o Options) ([]Comparison, error)
}

// Repairing is a Verification whose comparisons are Repairers, so the verb takes --repair.
type Repairing interface {
	Verification
	// RepairHelp says for the verb's help what --repair does.
	RepairHelp() string
}

// RepairValidator is a Repairing with flags of its own that must fit to --repair.
type RepairValidator interface {
	// ValidateRepair returns an error if the flags don't fit; repair reports whether --repair was given.
	ValidateRepair(repair bool) error
}

// Incomparable is a Consumer whose destination can't be read: sluice verify reports that, and compares nothing.
type Incomparable interface {
	Consumer
	// Incomparable says why nothing is compared, and what people can do instead.
	Incomparable() string
}

// Backfiller is a Consumer that can bring whole tables into its destinations: sluice backfill NAME.
type Backfiller interface {
	Consumer
	// Backfill returns a new Backfilling, a pointer to a struct. Its exported fields with kong's tags are the flags that only
	// this consumer has.
	Backfill() Backfilling
}

// Backfilling opens what is brought, after its flags were read.
type Backfilling interface {
	// Open returns a Backfill for each destination.
	Open(ctx context.Context, p Part, o Options) ([]Backfill, error)
}

// Options are what the flags of all consumers' verbs say.
type Options struct {
	Segments int                           // in how many parts a table is read side by side; at least 1
	Most     time.Duration                 // how long a comparison looks again at most
	Say      func(format string, a ...any) // prints for people while the verb runs
}

// Comparison compares one destination with its source, while both are written. The engine calls one method at a time.
type Comparison interface {
	// Title names source and destination for people.
	Title() Title
	// Look compares. Without suspects it reads both sides whole; with suspects it looks at these only, again. It returns what
	// differs then: a suspect that is equal now is left out. Of a suspect that still differs it sets Moving if the destination's
	// side changed since the look that returned the suspect, and Written if the source's side did.
	//
	// The counts of the Look are those of the whole comparison also if there are suspects. [NotYet] wraps an error that a later
	// look may not meet, such as a destination that the first change makes.
	Look(ctx context.Context, suspects []Difference) (Look, error)
}

// Repairer is a Comparison whose destination can be repaired, by the consumer's own rules: nothing newer is overwritten.
type Repairer interface {
	// Steps say what a repair would write and delete. Remove: it deletes what is [Extra]. It makes no call.
	Steps(r Report, remove bool) []Step
	// Repair repairs, and notes with each difference what became of it. It leaves alone what was Written while it was compared,
	// and Extra items unless remove is true. After an error the rest is as it was; another repair does it.
	Repair(ctx context.Context, differences []Difference, remove bool) error
}

// Backfill brings a whole source into one destination, while both are written. An item that was read counts as a change made
// [ReadMargin] earlier, so nothing newer is overwritten, and nothing that was removed meanwhile comes back.
type Backfill interface {
	// Title names source and destination for people.
	Title() Title
	// Steps say what the backfill is going to write. It reads only.
	Steps(ctx context.Context) ([]Step, error)
	// Run brings all items. After an error, or when ctx ended, another Run resumes where this one stopped; a page that was under
	// way is brought again. It calls progress after every page, one call at a time.
	Run(ctx context.Context, progress func(items int)) (Backfilled, error)
}

// Title names source and destination for people.
type Title struct {
	Name        string `json:"name"`        // of the route, view or table
	Source      string `json:"source"`      // such as "table Orders in us-east-1"
	Destination string `json:"destination"` // such as "index orders"
}

// Backfilled says what became of the items of a source.
type Backfilled struct {
	Written  int      `json:"written"`
	Newer    int      `json:"newer"`            // the destination had something newer, or the item was gone
	LeftOut  int      `json:"leftOut"`          // the declaration doesn't take them
	Rejected int      `json:"rejected"`         // see Faults
	Faults   []string `json:"faults,omitempty"` // why items were rejected, the first MaxFaults
	Notes    []string `json:"notes,omitempty"`  // further lines for people
}

// MaxFaults is how many faults a Backfilled, and how many unusable items a Report names.
const MaxFaults = 100
