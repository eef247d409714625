package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	smithytime "github.com/aws/smithy-go/time"

	"sluice/cli/verb"
	leaderboardops "sluice/consumers/leaderboard/ops"
	"sluice/shared/operate"
	"sluice/shared/printable"
	"sluice/shared/verify"
)

type verifyCommand struct {
	Leaderboard verifyLeaderboardCommand `cmd:"" help:"Compare every sum and count of every declared view with its source, also while both are written. Exits with 1 if any differs."`
	Replication verifyReplicationCommand `cmd:"" help:"Compare each copy with the table that is copied, and a shared table in all its regions, and repair it if asked. Exits with 1 if anything differs."`
	Search      verifySearchCommand      `cmd:"" help:"Compare each index with its table, document by document, and repair it if asked. Exits with 1 if anything differs."`
	Badges      verifyBadgesCommand      `cmd:"" help:"Compare each player's badges, and the state that the rules look at, with what the plays earn, and repair it if asked. Exits with 1 if anything differs."`
}

type verifyLeaderboardCommand struct {
	verb.PipelineFlags
	JSON   bool          `help:"Print the result as JSON."`
	Wait   time.Duration `default:"30s" help:"How long what differs is looked at again, since changes may be in flight; at least --margin."`
	Margin time.Duration `default:"10s" help:"How long a difference has to stay, while the view's item takes no change, before it counts."`
	Answer time.Duration `default:"20s" help:"How long DynamoDB may take for one page before the comparison ends with an error."`
}

// sayWaiting says what a comparison waits for. It goes to standard error, as progress does.
func sayWaiting(differ int, wait time.Duration) {
	if wait > 0 {
		fmt.Fprintf(os.Stderr, "%s and changes may be on their way. Looking again, at most until %s (%v).\n",
			verb.Count(differ, "thing differs", "things differ"), time.Now().Add(wait).Format(time.TimeOnly), wait)
	}
}

// lookAgain is the pause between two looks.
const lookAgain = 500 * time.Millisecond

// notYetError is of a look that couldn't compare, though a later one may.
type notYetError struct{ error }

// lookUntil looks until nothing differs or the wait is over; the last look is told that it
// is: that is the one to repair.
func lookUntil[V any](ctx context.Context, wait time.Duration, look func(last bool) (v V, differs bool, err error)) (V, error) {
	operate.Within(ctx, wait)
	deadline := time.Now().Add(wait)
	for first := true; ; first = false {
		last := !time.Now().Before(deadline)
		v, differs, err := look(last)
		notYet, isNotYet := errors.AsType[notYetError](err)
		if err != nil && !isNotYet || last || !differs {
			return v, err
		}
		switch {
		case first && isNotYet:
			fmt.Fprintf(os.Stderr, "Nothing is compared yet: %v. Looking again, at most until %s (--wait).\n", notYet.error, deadline.Format(time.TimeOnly))
		case first:
			fmt.Fprintf(os.Stderr, "Something differs; its changes may be on their way. Looking again until nothing differs, at most until %s (--wait).\n", deadline.Format(time.TimeOnly))
		}
		if err := smithytime.SleepWithContext(ctx, lookAgain); err != nil {
			return v, err
		}
	}
}

func (c *verifyLeaderboardCommand) Run(ctx context.Context) error {
	found, err := c.Part(ctx, "leaderboard")
	if err != nil {
		return err
	}
	settings, err := leaderboardops.ReadSettings(found)
	if err != nil {
		return err
	}
	views, err := settings.Views()
	if err != nil {
		return err
	}
	comparison := verify.New(dynamodb.NewFromConfig(found.Tables), views, settings.Horizon)
	comparison.Margin, comparison.Patience, comparison.Answer = c.Margin, c.Wait, c.Answer
	comparison.Waiting = sayWaiting
	if err := comparison.Validate(); err != nil {
		return err
	}
	result, err := comparison.Run(ctx)
	if err != nil {
		return operate.GoOn(err, "The views were not compared to the end. Run the same again.")
	}
	if c.JSON {
		err = verb.PrintJSON(result)
	} else {
		err = printComparison(result)
	}
	if err != nil {
		return err
	}
	return adviseSums(result.Differences, c.Margin)
}

// adviseSums says how many sums differ, and what helps. No rebuild stores a sum that DynamoDB can't hold.
func adviseSums(differences []verify.Difference, margin time.Duration) error {
	var beyond []verify.Difference
	for _, d := range differences {
		if !d.Holdable() {
			beyond = append(beyond, d)
		}
	}
	var advice []string
	if n := len(beyond); n > 0 {
		advice = append(advice, fmt.Sprintf("%s more than DynamoDB holds (38 digits, up to 9.9E+125), so no rebuild helps: correct the source's items. The first: view %s, %s, %s",
			verb.Count(n, "sum takes", "sums take"), beyond[0].View, printable.Cut(beyond[0].Key, keyWidth), beyond[0].Sum))
	}
	if len(beyond) < len(differences) {
		advice = append(advice, "look for dead letters (sluice redrive leaderboard --list), then make a view anew with sluice rebuild VIEW")
	}
	if len(advice) == 0 {
		return nil
	}
	return fmt.Errorf("%s and stayed so for %v; %s", verb.Count(len(differences), "sum differs from its source", "sums differ from their sources"), margin, strings.Join(advice, "\n"))
}

// printComparison prints what was compared, and whatever is not as it should be.
func printComparison(r verify.Result) error {
	items, views := 0, 0
	for _, v := range r.Views {
		if v.NotCompared != "" {
			verb.Say("View %s is not compared: %s.\n", v.Name, v.NotCompared)
			continue
		}
		items, views = items+v.Items, views+1
		if v.Closed > 0 {
			verb.Say("View %s: %d items of closed boxes are not compared.\n", v.Name, v.Closed)
		}
	}
	verb.Say("%d items of %d views compared with their sources. ", items, views)
	switch {
	case len(r.Differences) > 0:
		verb.Say("%d sums differ:\n", len(r.Differences))
	case len(r.Moving) > 0:
		verb.SayLine("Every other total is the sum of what its source holds.")
	default:
		verb.SayLine("Every total is the sum of what its source holds.")
	}
	if err := printDifferences(r.Differences); err != nil {
		return err
	}
	if r.InFlight > 0 {
		verb.Say("%d more differed at first and no longer do: their changes were in flight.\n", r.InFlight)
	}
	if len(r.Moving) > 0 {
		verb.Say("%d are not judged: they differed at every look, but took changes all the time. Look again when fewer are written, or with a longer --wait:\n", len(r.Moving))
		if err := printDifferences(r.Moving); err != nil {
			return err
		}
	}
	if r.Unusable > 0 {
		verb.Say("%s can't be used. Those of a source count for nothing, and their changes are dead letters:\n", verb.Plural(r.Unusable, "item"))
		for _, i := range r.Named {
			verb.Say("  %s: %s: %s\n", i.Table, printable.Cut(i.Key, keyWidth), printable.Text(i.Reason))
		}
		if more := r.Unusable - len(r.Named); more > 0 {
			verb.Say("  and %d more\n", more)
		}
	}
	return nil
}

// keyWidth is how many columns of a terminal an item's key takes: several attributes with names as wide as they may be.
const keyWidth = 160

func printDifferences(differences []verify.Difference) error {
	if len(differences) == 0 {
		return nil
	}
	w := printable.Table{Right: true}
	w.Row("view", "item", "sum", "source", "stored")
	for _, d := range differences {
		w.Row(d.View, d.Key, d.Sum, d.Source, d.Stored)
	}
	return w.Flush(verb.Stdout)
}
