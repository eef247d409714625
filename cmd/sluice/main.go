// Command sluice runs the pipeline on this machine, plays with it, and looks
// into it, here or deployed on AWS.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

const description = `Sluice carries every change of a DynamoDB table through one Kinesis stream to exact consumers.

Start the whole pipeline on this machine with "sluice up", or see it run and check itself with "sluice demo".
Verbs that read or write use the local stack, or with --stack NAME a stack deployed on AWS.`

type cli struct {
	Up      upCommand      `cmd:"" help:"Start the pipeline on this machine, from real servers; it stays up until 'sluice down'."`
	Down    downCommand    `cmd:"" help:"Stop what 'sluice up' started."`
	Status  statusCommand  `cmd:"" help:"Tell what is running, where, and how far it has come."`
	Demo    demoCommand    `cmd:"" help:"Start the pipeline, play the game, check every total, stop."`
	Play    playCommand    `cmd:"" help:"Play the game: players write scores to the score table."`
	Top     topCommand     `cmd:"" help:"Show the players with the highest totals, of all time, a day or a week."`
	History historyCommand `cmd:"" help:"Show a player's latest scores, latest first."`
	Lint    lintCommand    `cmd:"" help:"Check a file that declares views, or the shipped one."`
	Verify  verifyCommand  `cmd:"" help:"Compare a destination with its source, item by item."`
	Decode  decodeCommand  `cmd:"" help:"Print a recorded payload, record or dead letter for people."`
	Serve   serveCommand   `cmd:"" hidden:""`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c cli
	parsed := kong.Parse(&c,
		kong.Name("sluice"),
		kong.Description(description),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
	if err := parsed.Run(); err != nil {
		fmt.Fprintf(os.Stderr, "sluice %s: %v\n", parsed.Command(), err)
		os.Exit(1)
	}
}
