package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sluice/consumers/badges"
	"sluice/consumers/badges/rule"
	"sluice/consumers/leaderboard"
	"sluice/consumers/replication"
	"sluice/consumers/search"
	"sluice/deploy/local/stack"
	"sluice/deploy/local/template"
	"sluice/shared/view"
)

type lintCommand struct {
	File     string `arg:"" optional:"" type:"existingfile" help:"The file; without it, the views, replicas, search routes and badges' rules that ship, and the templates of the checkout's consumers."`
	Replicas bool   `help:"The file declares replicas, not views." xor:"kind"`
	Search   bool   `help:"The file declares search routes, not views." xor:"kind"`
	Badges   bool   `help:"The file declares the rules of badges, not views." xor:"kind"`
	Template bool   `help:"The file is a consumer's SAM template." xor:"kind"`

	Retention time.Duration `default:"168h" help:"For templates: how long the stream keeps a change, RetentionHours of deploy/stream.yaml."`
}

// Run checks the file with the settings' defaults.
func (c *lintCommand) Run() error {
	if c.File == "" || c.Search {
		if err := c.lintSearch(search.DefaultSettings()); err != nil {
			return fmt.Errorf("the indexes can't be kept:\n%w", err)
		}
	}
	if c.File == "" || c.Replicas {
		if err := c.lintReplicas(replication.DefaultSettings()); err != nil {
			return fmt.Errorf("the replicas can't be kept:\n%w", err)
		}
	}
	if c.File == "" || c.Badges {
		if err := c.lintBadges(badges.DefaultSettings()); err != nil {
			return fmt.Errorf("the badges can't be awarded:\n%w", err)
		}
	}
	if c.File == "" || c.Template {
		if err := c.lintTemplates(); err != nil {
			return fmt.Errorf("the templates have faults:\n%w", err)
		}
	}
	if c.Replicas || c.Search || c.Badges || c.Template {
		return nil
	}
	views, err := c.read(leaderboard.DefaultSettings())
	if err != nil {
		return fmt.Errorf("the views can't be kept:\n%w", err)
	}
	for _, v := range views {
		sayView(v)
	}
	return nil
}

// sayView prints a view and its notes.
func sayView(v *view.View) {
	say("%s: %s → %s\n", v.Name, v.Source, v.Table)
	for _, line := range v.Notes() {
		say("    %s\n", line)
	}
}

// sayWhere prints which items a route takes, if not all.
func sayWhere(where string) {
	if where != "" {
		say("    %s\n", where)
	}
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

func (c *lintCommand) lintSearch(settings search.Settings) error {
	read := settings.Routes
	if c.File != "" {
		text, err := os.ReadFile(c.File)
		if err != nil {
			return err
		}
		read = func() ([]*search.Route, error) { return settings.ReadRoutes(c.File, text) }
	}
	routes, err := read()
	for _, r := range routes {
		say("%s: %s → index %s\n", r.Name, r.Source, r.Index)
		sayWhere(r.Where())
	}
	return err
}

func (c *lintCommand) lintReplicas(settings replication.Settings) error {
	const home = stack.DefaultRegion
	read := func() ([]*replication.Route, error) { return settings.Routes(home) }
	if c.File != "" {
		text, err := os.ReadFile(c.File)
		if err != nil {
			return err
		}
		read = func() ([]*replication.Route, error) { return settings.ReadRoutes(home, c.File, text) }
	}
	routes, err := read()
	for _, r := range routes {
		say("%s: %s → %s in %s\n", r.Name, r.Source, r.Table, r.Region)
		sayWhere(r.Where())
	}
	return err
}

func (c *lintCommand) lintBadges(settings badges.Settings) error {
	book, err := readBook(settings, c.File)
	if err != nil {
		return err
	}
	for _, r := range book.Rules {
		say("%s: %s\n", r.Name, r)
	}
	for _, v := range book.Views {
		say("%s: %s → %s\n", v.Name, v.Source, v.Table)
	}
	return nil
}

// readBook reads the rules that a file declares, or those that ship.
func readBook(settings badges.Settings, file string) (*rule.Book, error) {
	if file == "" {
		return settings.Rules()
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return settings.ReadRules(file, text)
}

// lintTemplates checks the file, or all templates of the checkout that make something; elsewhere there are none.
func (c *lintCommand) lintTemplates() error {
	paths := []string{c.File}
	if c.File == "" {
		root, err := checkout()
		if err != nil {
			return nil //nolint:nilerr // what ships in the binary can be checked anywhere
		}
		if paths, err = template.Find(root); err != nil {
			return err
		}
	}
	var faults []error
	for _, path := range paths {
		read, err := template.Read(path)
		if err == nil {
			err = read.Check(c.Retention)
		}
		if err == nil {
			say("%s: no faults\n", fromHere(path))
		}
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

// fromHere shortens a path to one from the working directory, if it is below that.
func fromHere(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	short, err := filepath.Rel(here, path)
	if err != nil || strings.HasPrefix(short, "..") {
		return path
	}
	return short
}
