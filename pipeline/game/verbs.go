package game

// Verbs returns the game's verbs, as kong takes them.
func Verbs() any {
	return &struct {
		Demo    demoCommand    `cmd:"" serves:"" help:"Start the pipeline, play the game, check every total, stop."`
		Play    playCommand    `cmd:"" help:"Play the game: players write scores to the score table."`
		History historyCommand `cmd:"" help:"Show a player's latest scores, latest first."`
		Player  playerCommand  `cmd:"" help:"Show a player: total, rank, latest scores, badges and what is on the way."`
		API     apiCommand     `cmd:"" serves:"" name:"api" help:"Serve searches and players over HTTP on this machine, until Ctrl-C."`
	}{}
}
