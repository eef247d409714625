// Command sluice runs the pipeline on this machine, plays with it, and looks
// into it, here or deployed on AWS.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

const description = `Sluice carries every change of a DynamoDB table through one Kinesis stream to exact consumers.

Start the whole pipeline on this machine with "sluice up", or see it run and check itself with "sluice demo".
Verbs that read or write use the local stack, or with --stack NAME a stack deployed on AWS.`

type cli struct {
	Up       upCommand       `cmd:"" help:"Start the pipeline on this machine, from real servers; it stays up until 'sluice down'."`
	Down     downCommand     `cmd:"" help:"Stop what 'sluice up' started."`
	Status   statusCommand   `cmd:"" help:"Tell what is running, where, and how far it has come."`
	Demo     demoCommand     `cmd:"" help:"Start the pipeline, play the game, check every total, stop."`
	Plan     planCommand     `cmd:"" help:"Work out on paper what so many changes a second need and cost on AWS."`
	Play     playCommand     `cmd:"" help:"Play the game: players write scores to the score table."`
	Top      topCommand      `cmd:"" help:"Show the players with the highest totals, of all time, a day or a week."`
	Rank     rankCommand     `cmd:"" help:"Show where a player stands by total among all players, and the neighbours."`
	Player   playerCommand   `cmd:"" help:"Show a player: total, rank, latest scores, badges and what is on the way."`
	History  historyCommand  `cmd:"" help:"Show a player's latest scores, latest first."`
	Search   searchCommand   `cmd:"" help:"Search an index, with words, fields and ranges."`
	API      apiCommand      `cmd:"" name:"api" help:"Serve searches and players over HTTP on this machine, until Ctrl-C."`
	Badges   badgesCommand   `cmd:"" help:"Try the rules of badges, and tell why a player has one or not."`
	New      newCommand      `cmd:"" help:"Make a new consumer."`
	Lint     lintCommand     `cmd:"" help:"Check a file that declares views, replicas, search routes or badges, or the shipped ones."`
	Verify   verifyCommand   `cmd:"" help:"Compare a destination with its source, item by item."`
	Rebuild  rebuildCommand  `cmd:"" help:"Make a view's sums anew from its source, while changes flow."`
	Reindex  reindexCommand  `cmd:"" help:"Make an index anew with another definition, while changes and searches go on."`
	Backfill backfillCommand `cmd:"" help:"Bring a table that exists into a destination, while its changes flow."`
	Load     loadCommand     `cmd:"" help:"Put the rows of a web server's log, a CSV file, into a table."`
	Redrive  redriveCommand  `cmd:"" help:"Show a consumer's dead letters, or send them to it again."`
	Run      runCommand      `cmd:"" help:"Run a consumer against recorded payloads, also in a debugger, and tell what becomes of each change."`
	Decode   decodeCommand   `cmd:"" help:"Print a recorded payload, record or dead letter for people."`
	Serve    serveCommand    `cmd:"" hidden:""`
}

// printJSON prints what a verb found for programs.
func printJSON(v any) error {
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false) // it's no web page
	return out.Encode(v)
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c cli
	parsed := kong.Parse(&c,
		kong.Name("sluice"),
		kong.Description(description),
		kong.UsageOnError(),
		kong.WithHyphenPrefixedParameters(true), // --sort -score
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
	if err := parsed.Run(); err != nil {
		verb, _, _ := strings.Cut(parsed.Command(), " <") // without its arguments
		fmt.Fprintf(os.Stderr, "sluice %s: %v\n", verb, err)
		os.Exit(1)
	}
}
