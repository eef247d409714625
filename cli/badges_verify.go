package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"sluice/cli/verb"
	badgesops "sluice/consumers/badges/ops"
	"sluice/shared/operate"
	"sluice/shared/printable"
)

type verifyBadgesCommand struct {
	verb.PipelineFlags
	Segments int           `default:"4" help:"How many parts of each table are read side by side."`
	Patience time.Duration `default:"5s" help:"How long after the first look what differed is looked at again; changes may be on their way."`
	Wait     time.Duration `help:"Look again until nothing differs, at most this long; changes may still be on their way." placeholder:"10s"`
	Repair   bool          `help:"Award what is missing, take back and restore what the rules say, and send what is pending. Plans first, and asks."`
	Notify   bool          `help:"With --repair, tell players of what it awards them."`
	JSON     bool          `help:"Print the result as JSON."`
	verb.ConsentFlags
	verb.RemoveFlags
}

func (c *verifyBadgesCommand) Validate() error {
	var faults []error
	if c.Segments < 1 || c.Segments > maxSegments || c.Patience < 0 {
		faults = append(faults, fmt.Errorf("--segments must be from 1 to %d (got %d), --patience not negative (got %v)", maxSegments, c.Segments, c.Patience))
	}
	if c.Notify && !c.Repair {
		faults = append(faults, errors.New("--notify is for --repair"))
	}
	return errors.Join(faults...)
}

// Run compares what players have with what their plays earn.
func (c *verifyBadgesCommand) Run(ctx context.Context) error {
	found, err := badgesops.FindOperator(ctx, c.PipelineFlags)
	if err != nil {
		return err
	}
	auditor := found.Auditor()
	v, err := c.verify(ctx, auditor)
	if err != nil {
		return operate.GoOn(err, "Plays and badges were not compared to the end, so nothing is known of them. Run the same again.")
	}
	var repairErr error
	repaired := false
	if c.Repair && (len(v.Differences) > 0 || c.DryRun) {
		repaired, repairErr = c.repair(ctx, found, auditor, &v)
	}
	if err := c.print(v); err != nil {
		return err
	}
	if repairErr != nil {
		return repairErr
	}
	if len(v.Differences) == 0 {
		return nil
	}
	return adviseBadges(v, repaired, c.RemoveExtra.Allowed)
}

// adviseBadges says how many things differ, and what to do about it. Repaired reports that a repair was
// made, revoked that it took back what nothing earns.
func adviseBadges(v badgesops.Verification, repaired, revoked bool) error {
	counts := v.Counts()
	refused, extra := v.Refused(), counts[badgesops.NotRevoked]
	text := verb.Count(len(v.Differences), "thing differs", "things differ")
	if refused > 0 {
		text += "; " + verb.Count(refused, "repair is", "repairs are") + " refused for good: correct the items, or the rule's text"
	}
	if beyond := v.Unholdable(); beyond > 0 {
		text += "; " + verb.Count(beyond, "sum takes", "sums take") + " more than DynamoDB holds (38 digits, up to 9.9E+125), so no rebuild helps: correct the plays"
	}
	views := v.Rebuild()
	if len(views) > 0 {
		text += fmt.Sprintf("; what is miscounted, sluice rebuild sets right (%s)", strings.Join(views, ", "))
	}
	rest, repair := len(v.Differences)-counts[badgesops.Miscounted]-refused, "--repair"
	if extra > 0 {
		repair = "--repair --remove-extra"
	}
	if repaired && extra > 0 && !revoked {
		text += "; " + verb.Count(extra, "badge that nothing earns stays", "badges that nothing earns stay") + ", --remove-extra takes them back"
		rest -= extra
	}
	switch {
	case rest <= 0:
	case repaired:
		text += "; look again to see that nothing does now"
	case len(views) > 0:
		text += "; the rest, " + repair
	default:
		text += "; " + repair + " sets it right"
	}
	return errors.New(text)
}

// repair plans, asks and repairs. It reports whether anything was to be repaired, and somebody agreed.
func (c *verifyBadgesCommand) repair(ctx context.Context, found badgesops.Operator, a *badgesops.Auditor, v *badgesops.Verification) (bool, error) {
	where, err := c.Place(ctx)
	if err != nil {
		return false, err
	}
	counts := v.Counts()
	awards := operate.Step{Into: "table " + found.Settings.AchievementTable, From: "table " + found.Settings.ScoreTable, Held: v.Badges}
	awards.Write = counts[badgesops.Missing] + counts[badgesops.Revoked]
	if c.RemoveExtra.Allowed {
		awards.Remove = counts[badgesops.NotRevoked]
	} else if n := counts[badgesops.NotRevoked]; n > 0 {
		awards.Notes = append(awards.Notes, verb.Count(n, "badge that nothing earns stays", "badges that nothing earns stay")+"; --remove-extra takes them back")
	}
	if n := counts[badgesops.Miscounted]; n > 0 {
		awards.Notes = append(awards.Notes, verb.Count(n, "sum is miscounted", "sums are miscounted")+"; sluice rebuild makes them right, this verb doesn't")
	}
	notices := operate.Step{Into: "topic " + found.Settings.TopicARN, From: "table " + found.Settings.AchievementTable, Write: counts[badgesops.Untold]}
	if c.Notify {
		notices.Write += counts[badgesops.Missing]
	}
	plan := operate.Plan{Verb: "sluice verify badges --repair", Where: where, Steps: []operate.Step{awards, notices}}
	if ok, err := c.Consent(c.Removal(), c.JSON).To(ctx, plan); err != nil || !ok {
		return false, err
	}
	return true, a.Repair(ctx, v, badgesops.RepairOptions{Notify: c.Notify, Revoke: c.RemoveExtra.Allowed})
}

func (c *verifyBadgesCommand) verify(ctx context.Context, a *badgesops.Auditor) (badgesops.Verification, error) {
	return lookUntil(ctx, c.Wait, func(last bool) (badgesops.Verification, bool, error) {
		o := badgesops.VerifyOptions{Segments: c.Segments, Waiting: sayWaiting}
		if last {
			o.Patience = c.Patience
		}
		v, err := a.Verify(ctx, o)
		return v, len(v.Differences)+len(v.Moving) > 0, err
	})
}

func (c *verifyBadgesCommand) print(v badgesops.Verification) error {
	if c.JSON {
		return verb.PrintJSON(v)
	}
	if v.Unusable > 0 {
		verb.Say("%s can't be used, and count for nothing; their changes are dead letters.\n", verb.Count(v.Unusable, "item", "items"))
	}
	if v.Expires {
		verb.Say("Plays expire and stay counted. So badges are judged by the players' states, of which %s can't be checked: plays that have expired may be in it.\n",
			verb.Count(v.Unknown, "number", "numbers"))
	}
	if len(v.Moving) > 0 {
		verb.Say("%s can't be judged now: their changes are in flight. The first: %s. Look again later.\n", verb.Count(len(v.Moving), "player", "players"), v.Moving[0])
	}
	if len(v.Kept) > 0 {
		verb.Say("%s stand that nothing earns any more, since plays were corrected or items removed later; their rules take nothing back. The first: %s of %s.\n",
			verb.Count(len(v.Kept), "badge", "badges"), v.Kept[0].Award, printable.Name(v.Kept[0].Player))
	}
	if len(v.Differences) == 0 {
		verb.SayLine(allAwarded(v))
		return nil
	}
	var w printable.Table
	var below notes
	w.Row("player", "badge or state", "what", "repair")
	for _, d := range v.Differences {
		of, what := d.Award, d.What
		if d.What == badgesops.Miscounted {
			of, what = d.Of, fmt.Sprintf("of %s: the plays come to %s, the state says %s", strings.Join(d.Rules, ", "), d.Written, d.Shown)
		}
		about := printable.Name(d.Player) + ", " + of
		w.Row(printable.Name(d.Player), of, below.cell(about, what), below.cell(about, d.Repair))
	}
	if err := w.Flush(verb.Stdout); err != nil {
		return err
	}
	below.say()
	return nil
}

// allAwarded says that nothing differs.
func allAwarded(v badgesops.Verification) string {
	states := "no state is miscounted"
	if v.Expires {
		states = "no state counts less than the plays that are left"
	}
	return fmt.Sprintf("%s of %s: each that %s earn, each told, and %s.",
		verb.Count(v.Badges, "badge", "badges"), verb.Count(v.Players, "player", "players"), verb.Count(v.Plays, "play", "plays"), states)
}
