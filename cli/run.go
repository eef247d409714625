package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"sluice/cli/verb"
	"sluice/deploy/local/mapping/function"
	"sluice/deploy/local/stack"
	"sluice/shared/change"
	"sluice/shared/operate"
	"sluice/shared/redrive"
)

type runCommand struct {
	verb.LocalFlags
	Consumer string            `arg:"" help:"The consumer, such as leaderboard."`
	Against  []string          `required:"" type:"existingfile" sep:"none" help:"A file with a recorded Lambda payload, or several of them, or a JSON array of records, changes or dead letters. May be given several times; - reads standard input." placeholder:"FILE"`
	Each     bool              `help:"Invoke the function for each change alone, which tells exactly what becomes of each."`
	Env      map[string]string `mapsep:"none" help:"Set a variable of the function otherwise, for this run." placeholder:"NAME=VALUE"`
	Log      bool              `help:"Print what the function writes."`
	PrintEnv bool              `help:"Don't start the function: print how to start it in a debugger, and wait for it."`
	Region   string            `help:"A further region of the local stack in which the consumer runs." placeholder:"REGION"`
}

// Help is what kong prints below the verb's own line.
func (c *runCommand) Help() string {
	return `Runs the consumer's own binary as Lambda would, hands it recorded payloads, and tells what became of each change. It works on the
local stack's tables, queues and topics, as the deployed consumer there does: what is applied stays, and dead letters are kept.

In a debugger: "sluice run CONSUMER --against FILE --print-env" prints the function's environment and the commands that build it
for a debugger and start it there ("dlv exec BINARY"), serves it the Lambda Runtime API, and hands it the payloads once it runs.
Set breakpoints before "continue", such as "break consumer.(*Handler).Invoke". It may stop as long as 15 minutes on a payload.`
}

// Run replays the files.
func (c *runCommand) Run(ctx context.Context) error {
	info, err := c.Load(ctx)
	if err != nil {
		return err
	}
	f, err := localConsumerFunction(info, c.Consumer, c.Region)
	if err != nil {
		return err
	}
	for name, value := range c.Env {
		f.Env = append(f.Env, name+"="+value) // of two values the last counts
	}
	var payloads [][]byte
	for _, path := range c.Against {
		read, err := readPayloads(path, f.StreamARN, c.Each)
		if err != nil {
			return err
		}
		payloads = append(payloads, read...)
	}
	if c.PrintEnv {
		return c.debug(ctx, f, payloads)
	}
	local, err := newLocalFunction(c.Consumer, f, "")
	if err != nil {
		return err
	}
	defer local.Close()
	return c.replay(ctx, verb.Stdout, local, payloads)
}

// replay invokes the function with each payload and tells what became of it.
func (c *runCommand) replay(ctx context.Context, out io.Writer, f redrive.Function, payloads [][]byte) error {
	total := replayed{}
	for i, payload := range payloads {
		began := time.Now()
		reply, err := f.Invoke(ctx, bytes.Clone(payload))
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "Payload %d of %d, %v:\n", i+1, len(payloads), time.Since(began).Round(time.Millisecond))
		if c.Log {
			for line := range bytes.Lines(reply.Log) {
				fmt.Fprintf(out, "  │ %s\n", bytes.TrimRight(line, "\n"))
			}
		}
		if err := total.print(out, payload, reply); err != nil {
			return err
		}
	}
	return total.end(out)
}

// debug lets somebody else run the function.
func (c *runCommand) debug(ctx context.Context, f stack.Function, payloads [][]byte) error {
	config := f.Config(c.Consumer)
	config.Timeout = 15 * time.Minute // as long as Lambda has
	config.Output = io.Discard        // it has none here
	config.Attach = func(env []string) { printDebugger(verb.Stdout, f, env) }
	instance, err := function.New(config)
	if err != nil {
		return err
	}
	defer instance.Close()
	return c.replay(ctx, verb.Stdout, attached{instance}, payloads)
}

// attached is a function that somebody else runs; what it writes isn't seen here.
type attached struct{ *function.Instance }

// Invoke implements redrive.Function.
func (a attached) Invoke(ctx context.Context, payload []byte) (redrive.Reply, error) {
	answer, err := a.Instance.Invoke(ctx, payload, nil)
	if err != nil {
		return redrive.Reply{}, err
	}
	return replyOf(answer, nil), nil
}

// printDebugger prints how to start the function in a debugger.
func printDebugger(out io.Writer, f stack.Function, env []string) {
	binary := filepath.Join(filepath.Dir(f.Binary), "debug")
	fmt.Fprintln(out, "# In another terminal:")
	for _, v := range env {
		name, value, _ := strings.Cut(v, "=")
		if name == "PATH" {
			continue // the debugger has to be found
		}
		fmt.Fprintf(out, "export %s=%s\n", name, quote(value))
	}
	fmt.Fprintf(out, "(cd %s && CGO_ENABLED=0 go build -tags lambda.norpc -gcflags 'all=-N -l' -o %s .)\n", quote(f.Source), quote(binary))
	fmt.Fprintf(out, "dlv exec %s\n", quote(binary))
	fmt.Fprintln(out, "# Waiting for it here; Ctrl-C gives up.")
}

// quote writes a word for the shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// replayed adds up what became of the payloads.
type replayed struct {
	counts         redrive.Counts
	untold, failed int // payloads: without metrics; without an answer
	again          int // payloads of which something has to come again
}

// print tells what became of a payload's changes.
func (t *replayed) print(out io.Writer, payload []byte, reply redrive.Reply) error {
	if reply.Failure != nil {
		t.failed++
		fmt.Fprintf(out, "  the function failed: %s\n  Lambda would send all of it again.\n", indent(reply.Failure.Error()))
		return nil
	}
	var decoder change.Decoder
	records, err := decoder.Decode(payload)
	if err != nil {
		return err // the function wouldn't have answered
	}
	again, _, err := redrive.Again(reply.Answer)
	if err != nil {
		return err
	}
	told := redrive.ReadLog(reply.Log)
	t.counts.Add(told.Counts)
	if !told.Known {
		t.untold++
	}
	if len(again) > 0 {
		t.again++
	}
	behind := false
	for i := range records {
		r := &records[i]
		behind = behind || len(again) > 0 && r.SequenceNumber == again[0]
		fmt.Fprintf(out, "  %s\n    %s\n", describe(r), indent(outcome(r, told, again, behind)))
	}
	fmt.Fprintf(out, "  Answer: %s\n", reply.Answer)
	return nil
}

// indent keeps an error's further lines below its first.
func indent(s string) string { return strings.ReplaceAll(s, "\n", "\n      ") }

func describe(r *change.Record) string {
	if r.Err != nil {
		return "no change, at " + r.SequenceNumber
	}
	return fmt.Sprintf("%s %s %s, at %s", r.Change.Kind, r.Change.Table, r.Change.Keys.AppendJSON(nil), r.SequenceNumber)
}

// outcome says what became of a record, as far as log and answer tell.
func outcome(r *change.Record, told redrive.Told, again []string, behind bool) string {
	switch why, kept := told.Kept[r.SequenceNumber]; {
	case kept:
		return "refused, kept as a dead letter: " + why
	case len(again) > 0 && r.SequenceNumber == again[0]:
		return strings.TrimSuffix("has to come again: "+told.Again, ": ")
	case behind:
		return "comes again with the one before it that has to: Lambda sends all behind that one"
	}
	c := told.Counts
	n := c.Taken - c.Rejected - c.Retried
	for name, count := range map[string]int{"applied": c.Applied, "duplicate: was there already": c.Duplicate, "stale: something newer is there": c.Stale, "skipped": c.Skipped} {
		if count == n && n > 0 {
			return name
		}
	}
	return "done; --each tells whether it was applied, duplicate, stale or skipped"
}

// end prints the sums, and returns an error unless all is done.
func (t *replayed) end(out io.Writer) error {
	n := t.counts
	fmt.Fprintf(out, "%s taken: %d applied, %d duplicate, %d stale, %d skipped, %d retried, %d rejected.\n",
		operate.Count(n.Taken, "change"), n.Applied, n.Duplicate, n.Stale, n.Skipped, n.Retried, n.Rejected)
	if t.untold > 0 {
		fmt.Fprintf(out, "Of %s the counts are not here, but where the function writes: they are in its line of metrics.\n", operate.Count(t.untold, "payload"))
	}
	var faults []error
	for _, fault := range []struct {
		what, of string
		n        int
	}{{"the function failed:", "payload", t.failed}, {"has to come again: a part of", "payload", t.again}, {"refused, and now in the dead-letter queue:", "change", n.Rejected}} {
		if fault.n > 0 {
			faults = append(faults, fmt.Errorf("%s %s", fault.what, operate.Count(fault.n, fault.of)))
		}
	}
	return errors.Join(faults...)
}
