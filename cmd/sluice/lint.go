package main

import (
	"fmt"
	"os"

	"sluice/consumers/leaderboard"
	"sluice/consumers/leaderboard/view"
)

type lintCommand struct {
	File string `arg:"" optional:"" type:"existingfile" help:"The file; without it, the views that ship with the leaderboard."`
}

// Run checks the file with the settings' defaults.
func (c *lintCommand) Run() error {
	views, err := c.read(leaderboard.DefaultSettings())
	if err != nil {
		return fmt.Errorf("the views can't be kept:\n%w", err)
	}
	for _, v := range views {
		fmt.Printf("%s: %s → %s\n", v.Name, v.Source, v.Table)
	}
	return nil
}

func (c *lintCommand) read(settings leaderboard.Settings) ([]*view.View, error) {
	if c.File == "" {
		return settings.Views()
	}
	text, err := os.ReadFile(c.File)
	if err != nil {
		return nil, err
	}
	return settings.ReadViews(c.File, text)
}
