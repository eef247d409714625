// Package cli is the command line of sluice: it runs the pipeline on this machine, plays with it, and looks
// into it, here or deployed on AWS.
package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"sluice/cli/scaffold"
	"sluice/cli/verb"
	"sluice/shared/declaration"
	"sluice/shared/operate"
	"sluice/shared/printable"
)

const description = `Sluice carries every change of a DynamoDB table through one Kinesis stream to exact consumers.

Start the whole pipeline on this machine with "sluice up", or see it run and check itself with "sluice demo".
Verbs that read or write use the local stack, or with --stack NAME a stack deployed on AWS.`

type cli struct {
	Timeout time.Duration `default:"30s" help:"End if a server gives no answer for this long. Verbs that serve until Ctrl-C go on."`

	Up     upCommand     `cmd:"" serves:"" help:"Start the pipeline on this machine, from real servers; it stays up until 'sluice down'."`
	Down   downCommand   `cmd:"" serves:"" help:"Stop what 'sluice up' started."`
	Status statusCommand `cmd:"" help:"Tell what is running, where, and how far it has come."`
	Plan   planCommand   `cmd:"" help:"Work out on paper what so many changes a second need and cost on AWS."`
	kong.Plugins
	New      newCommand      `cmd:"" help:"Make a new pipeline, table or consumer."`
	Lint     lintCommand     `cmd:"" help:"Check a file that declares something for a consumer, a template, or all that ship."`
	Verify   verifyCommand   `cmd:"" help:"Compare a destination with its source, item by item."`
	Rebuild  rebuildCommand  `cmd:"" help:"Make a view's sums anew from its source, while changes flow."`
	Backfill backfillCommand `cmd:"" help:"Bring a table that exists into a destination, while its changes flow."`
	Load     loadCommand     `cmd:"" help:"Put the rows of a web server's log, a CSV file, into a table."`
	Attach   attachCommand   `cmd:"" help:"Send the changes of a table on AWS into the stream of a pipeline."`
	Redrive  redriveCommand  `cmd:"" help:"Show a consumer's dead letters, or send them to it again."`
	Run      runCommand      `cmd:"" serves:"" help:"Run a consumer against recorded payloads, also in a debugger, and tell what becomes of each change."`
	Decode   decodeCommand   `cmd:"" help:"Print a recorded payload, record or dead letter for people."`
	API      apiCommand      `cmd:"" serves:"" name:"api" help:"Answer over HTTP on this machine, until Ctrl-C: searches, and what else the pipeline offers."`
	Try      tryCommand      `cmd:"" serves:"" help:"Start the pipeline on this machine, write made-up items that the declarations take, compare every destination, stop."`
	Version  versionCommand  `cmd:"" help:"Print the version of this program: release, commit and Go."`
	Serve    serveCommand    `cmd:"" hidden:"" serves:""`
}

// Main runs the command line of the process and exits. Verbs that work on a consumer know those that are given. Further verbs are
// pointers to structs whose fields are verbs, as kong takes them; the tag serves is of one that serves, and so may wait for ever.
//
// Declarations are those of the folder pipeline on disk, if the working directory is in the checkout that the program was built from,
// or else those that are part of the program.
func Main(p declaration.Pipeline, consumers func(declaration.Pipeline) []operate.Consumer, verbs ...any) {
	p = verb.OnDisk(p)
	os.Exit(execute(os.Args[1:], p, consumers, verbs...))
}

// newParser makes the command line of all verbs.
func newParser(ctx context.Context, c *cli, p declaration.Pipeline, consumers registry, verbs ...any) (*kong.Kong, error) {
	c.Plugins, c.Verify, c.Backfill = verbs, newVerifyCommand(consumers), newBackfillCommand(consumers)
	for _, own := range operate.Offering[operate.Commander](consumers) {
		c.Plugins = append(c.Plugins, own.Verbs())
	}
	return kong.New(c,
		kong.Name("sluice"),
		kong.Description(description),
		kong.Writers(verb.Stdout, os.Stderr),
		kong.Exit(func(code int) { // after --help
			if err := verb.Stdout.Join(nil); err != nil {
				code = fail("sluice", err)
			}
			os.Exit(code)
		}),
		kong.WithHyphenPrefixedParameters(true), // --sort -FIELD
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(p, consumers, slices.Concat(operate.Offering[operate.Server](consumers), operate.Offering[operate.Server](verbs))),
		kong.Vars{"consumers": strings.Join(scaffold.Available(), ",")},
	)
}

// runVerb runs a verb under a watch.
func runVerb(ctx context.Context, parsed *kong.Context, timeout time.Duration) error {
	if parsed.Selected().Tag.Has("serves") {
		return parsed.Run()
	}
	if timeout <= 0 {
		return fmt.Errorf("--timeout must be longer than 0 (got %v)", timeout)
	}
	ctx, watch := operate.NewWatch(ctx, timeout, os.Stderr)
	parsed.BindTo(ctx, (*context.Context)(nil))
	return watch.Explain(parsed.Run())
}

// execute runs a command line and returns its exit code.
func execute(args []string, p declaration.Pipeline, build func(declaration.Pipeline) []operate.Consumer, verbs ...any) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process at once
	var c cli
	parser, err := newParser(ctx, &c, p, build(p), verbs...)
	if err != nil {
		return fail("sluice", err)
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		return misused(err)
	}
	parsed.Bind(build)
	err = runVerb(ctx, parsed, c.Timeout)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = errors.New("interrupted") // the SDK says it in its own words, and verbs that write say what is left
	}
	if err = verb.Stdout.Join(err); err != nil {
		return fail("sluice "+verbOf(parsed), err)
	}
	return 0
}

// fail prints why a command line failed, and returns its exit code.
func fail(what string, err error) int {
	fmt.Fprintf(os.Stderr, "%s: %s\n", what, printable.Lines(err.Error()))
	return 1
}

// misused prints what is wrong with a command line, and how to get help. It returns the exit code.
func misused(err error) int {
	what, code, text := "sluice", 1, err.Error()
	if wrong, ok := errors.AsType[*kong.ParseError](err); ok {
		code = wrong.ExitCode()
		if verb := verbOf(wrong.Context); verb != "" {
			what += " " + verb
			text = strings.TrimPrefix(text, verb+": ") // kong names the verb of what Validate returns
		}
	}
	fail(what, errors.New(text))
	fmt.Fprintf(os.Stderr, "\"%s --help\" shows what it takes.\n", what)
	return code
}

// verbOf returns the verb of a command line, without its arguments.
func verbOf(parsed *kong.Context) string {
	if parsed == nil {
		return ""
	}
	var verb []string
	for _, step := range parsed.Path {
		if step.Command != nil && slices.Contains(parsed.Args, step.Command.Name) { // a default command isn't typed
			verb = append(verb, step.Command.Name)
		}
	}
	return strings.Join(verb, " ")
}
