package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/alecthomas/kong"

	"sluice/cli/verb"
	"sluice/deploy/local/stack"
	"sluice/shared/operate"
)

type verifyCommand struct {
	All verifyAllCommand `cmd:"" default:"withargs" help:"Compare every registered consumer's destinations with their sources, and summarize. It reads only."`
	kong.Plugins
}

// newVerifyCommand has a command for each consumer that can be compared.
func newVerifyCommand(consumers registry) verifyCommand {
	c := verifyCommand{All: verifyAllCommand{consumers: consumers}}
	for _, v := range operate.Offering[operate.Verifier](consumers) {
		c.Plugins = append(c.Plugins, newVerifyOne(v))
	}
	for _, i := range operate.Offering[operate.Incomparable](consumers) {
		c.Plugins = append(c.Plugins, subcommand(i.Name(), "Say why "+i.Name()+" can't be compared with its source. Exits with 1.", &incomparableCommand{consumer: i}))
	}
	return c
}

// incomparableCommand is verify of a consumer whose destination can't be read. It fails, since nothing is verified.
type incomparableCommand struct {
	judgingFlags

	consumer operate.Incomparable
}

// Run says why nothing is compared.
func (c *incomparableCommand) Run() error {
	v := notCompared(c.consumer)
	if err := c.print(v); err != nil {
		return err
	}
	return fmt.Errorf("%s: %s", v.Consumer, v.Faults[0])
}

// notCompared says why a consumer without a comparison has none.
func notCompared(c operate.Consumer) *operate.Verified {
	why := "it offers no comparison"
	if i, is := c.(operate.Incomparable); is {
		why = i.Incomparable()
	}
	return &operate.Verified{Consumer: c.Name(), Reports: []operate.Report{}, Faults: []string{why}}
}

// judgingFlags say what is compared, and when a difference counts.
type judgingFlags struct {
	verb.PipelineFlags
	Segments int           `default:"4" help:"How many parts of each table are read side by side."`
	Patience time.Duration `default:"10s" aliases:"margin" help:"How long a difference has to stay, while its destination takes no change, before it counts; changes may be on their way."`
	Wait     time.Duration `help:"Look again until nothing differs, at most this long, though what differs counts already." placeholder:"10s"`
	JSON     bool          `help:"Print the result as JSON."`
}

func (f judgingFlags) check() error {
	if f.Segments < 1 || f.Segments > operate.MaxSegments || f.Patience < 0 || f.Wait < 0 {
		return fmt.Errorf("--segments must be from 1 to %d (got %d), --patience and --wait not negative (got %v, %v)", operate.MaxSegments, f.Segments, f.Patience, f.Wait)
	}
	return nil
}

func (f judgingFlags) judging() operate.Judging {
	return operate.Judging{
		Patience: f.Patience, Wait: f.Wait, Waiting: sayWaiting,
		Postponed: func(why error, until time.Time) {
			fmt.Fprintf(os.Stderr, "Nothing is compared yet: %v. Looking again, at most until %s (--wait).\n", why, until.Format(time.TimeOnly))
		},
	}
}

// compare opens and compares one consumer's destinations.
func (f judgingFlags) compare(ctx context.Context, consumer string, v operate.Verification) *operate.Verified {
	part, err := f.Part(ctx, consumer)
	var comparisons []operate.Comparison
	if err == nil {
		comparisons, err = v.Open(ctx, part, operate.Options{Segments: f.Segments, Most: f.judging().Most(), Say: verb.Say})
	}
	if err != nil {
		return operate.NotVerified(consumer, err)
	}
	return operate.Verify(ctx, consumer, comparisons, f.judging())
}

// sayOlder says, on standard error, which changed files the local stack doesn't run, so that nobody repairs what differs because of
// them. Whether the stack runs at all, each comparison says.
func (f judgingFlags) sayOlder(ctx context.Context) {
	info, err := f.Load(ctx)
	if f.Stack != "" || err != nil || info.State != stack.Ready {
		return
	}
	older, err := changedFiles(info)
	if err != nil {
		fmt.Fprintf(os.Stderr, "Whether the local stack runs older files isn't known: %v.\n", err)
	} else if older != "" {
		fmt.Fprintln(os.Stderr, older, "Differences may come from that: \"sluice up --restart\" starts what is there now, with empty tables.")
	}
}

// sayWaiting says what a comparison waits for. It goes to standard error, as progress does.
func sayWaiting(differ int, most time.Duration) {
	if most > 0 {
		fmt.Fprintf(os.Stderr, "%s and changes may be on their way. Looking again, at most until %s (%v).\n",
			operate.Count(differ, "item differs", "items differ"), time.Now().Add(most).Format(time.TimeOnly), most)
	}
}

type verifyOneCommand struct {
	judgingFlags
	Own kong.Plugins `embed:""` // flags that not every consumer has

	consumer     string
	verification operate.Verification
	repairs      *repairFlags
}

// repairFlags are the flags of a consumer whose destinations can be repaired.
type repairFlags struct {
	Repair bool `help:"Make what differs equal, by the consumer's own rules: nothing newer is overwritten. Prints its plan first, and asks."`
	verb.ConsentFlags
	verb.RemoveFlags
}

// newVerifyOne returns a consumer's command for kong.
func newVerifyOne(v operate.Verifier) any {
	name := v.Name()
	c := &verifyOneCommand{consumer: name, verification: v.Verify(), repairs: &repairFlags{}}
	c.Own = kong.Plugins{c.verification}
	help := fmt.Sprintf("Compare each destination of %s with its source. Exits with 1 if anything differs.", name)
	if r, repairs := c.verification.(operate.Repairing); repairs {
		c.Own = append(c.Own, c.repairs)
		help += " With --repair, it " + r.RepairHelp() + "."
	}
	return subcommand(name, help, c)
}

// Validate checks the flags together.
func (c *verifyOneCommand) Validate() error {
	faults := []error{c.check(), checkOwn(c.Own)}
	if v, validates := c.verification.(operate.RepairValidator); validates {
		faults = append(faults, v.ValidateRepair(c.repairs.Repair))
	}
	return errors.Join(faults...)
}

// Run compares the consumer's destinations with their sources, and repairs them if asked.
func (c *verifyOneCommand) Run(ctx context.Context) error {
	c.sayOlder(ctx)
	v := c.compare(ctx, c.consumer, c.verification)
	var repairErr error
	if c.repairs.Repair && (v.Differences() > 0 || c.repairs.DryRun) {
		repairErr = c.repair(ctx, v)
	}
	if err := c.print(v); err != nil {
		return err
	}
	if repairErr != nil {
		return repairErr
	}
	return v.Err()
}

func (c *verifyOneCommand) repair(ctx context.Context, v *operate.Verified) error {
	where, err := c.Place(ctx)
	if err != nil {
		return err
	}
	return v.Repair(ctx, operate.Plan{Verb: "sluice verify " + c.consumer + " --repair", Where: where}, c.repairs.Consent(c.repairs.Removal(), c.JSON))
}

// print prints what was found, for people or as JSON, whether one consumer was compared or all.
func (f judgingFlags) print(all ...*operate.Verified) error {
	if f.JSON {
		return verb.PrintJSON(struct {
			Consumers []*operate.Verified `json:"consumers"`
		}{all})
	}
	for _, v := range all {
		if err := v.Print(verb.Stdout); err != nil {
			return err
		}
	}
	return nil
}

type verifyAllCommand struct {
	judgingFlags

	consumers registry
}

// Validate checks the flags together.
func (c *verifyAllCommand) Validate() error { return c.check() }

// Run compares one consumer after the other. One that can't be compared is reported.
func (c *verifyAllCommand) Run(ctx context.Context) error {
	c.sayOlder(ctx)
	var all []*operate.Verified
	var faults []error
	for _, one := range c.consumers {
		v := notCompared(one)
		if verifier, can := one.(operate.Verifier); can {
			v = c.compare(ctx, one.Name(), verifier.Verify())
			if err := v.Err(); err != nil && !verb.RunsElsewhere(err) {
				faults = append(faults, fmt.Errorf("%s: %w", one.Name(), err))
			}
		}
		all = append(all, v)
		if c.JSON {
			continue // printed together
		}
		if err := c.print(v); err != nil {
			return err
		}
	}
	all = append(all, c.unregistered(ctx)...)
	if c.JSON {
		return errors.Join(append(faults, c.print(all...))...)
	}
	verb.SayLine()
	return errors.Join(append(faults, operate.Summarize(verb.Stdout, all))...)
}

// unregistered are the local stack's consumers that this command line doesn't know.
func (c *verifyAllCommand) unregistered(ctx context.Context) (all []*operate.Verified) {
	info, err := c.Load(ctx)
	if c.Stack != "" || err != nil { // each consumer's own report says so
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(info.Functions)) {
		if !slices.ContainsFunc(c.consumers, func(one operate.Consumer) bool { return one.Name() == name }) {
			all = append(all, &operate.Verified{Consumer: name, Reports: []operate.Report{}, Faults: []string{"it isn't registered: the list in pipeline/ops lacks it"}})
		}
	}
	return all
}
