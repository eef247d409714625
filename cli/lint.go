package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"sluice/cli/verb"
	"sluice/consumers/badges"
	"sluice/consumers/badges/rule"
	"sluice/consumers/leaderboard"
	"sluice/consumers/replication"
	"sluice/consumers/search"
	"sluice/deploy/local/stack"
	"sluice/deploy/local/template"
	"sluice/shared/declaration"
	"sluice/shared/view"
)

type lintCommand struct {
	File     string `arg:"" optional:"" type:"existingfile" help:"The file, or - for standard input. Without it: the views, replicas, search routes and badges' rules that are part of this program, and the templates of the checkout's consumers."`
	Replicas bool   `help:"The file declares replicas, not views." xor:"kind"`
	Search   bool   `help:"The file declares search routes, not views." xor:"kind"`
	Badges   bool   `help:"The file declares the rules of badges, not views." xor:"kind"`
	Template bool   `help:"The file is a consumer's SAM template." xor:"kind"`

	text []byte // of the file

	Retention time.Duration `default:"168h" help:"For templates: how long the stream keeps a change, RetentionHours of deploy/stream.yaml."`
}

// Run checks the file with the settings' defaults.
func (c *lintCommand) Run() error {
	if c.File == "" {
		verb.Say("The declarations that are part of this program, from %s, %s, %s and %s:\n", search.RoutesPath, replication.RoutesPath, badges.RulesPath, leaderboard.ViewsPath)
	} else if err := c.readFile(); err != nil {
		return err
	}
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
	views, err := c.readViews(leaderboard.DefaultSettings())
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
	verb.Say("%s: %s → %s\n", v.Name, v.Source, v.Table)
	for _, line := range v.Notes() {
		verb.Say("    %s\n", line)
	}
}

// sayWhere prints which items a route takes, if not all.
func sayWhere(where string) {
	if where != "" {
		verb.Say("    %s\n", where)
	}
}

// readFile reads the file, and chooses its kind by what it declares unless a flag says the kind.
func (c *lintCommand) readFile() error {
	in, err := verb.OpenInput(c.File)
	if err != nil {
		return err
	}
	defer in.Close()
	if c.text, err = io.ReadAll(in); err != nil {
		return fmt.Errorf("read %s: %w", verb.InputName(c.File), err)
	}
	kinds := []struct {
		flag   *bool
		name   string
		begins []string // keys of which a file of the kind has one
	}{
		{&c.Replicas, "replicas", []string{"replicas"}},
		{&c.Search, "search routes", []string{"routes"}},
		{&c.Badges, "the rules of badges", []string{"plays", "badges"}},
		{&c.Template, "a SAM template", []string{"Resources", "AWSTemplateFormatVersion", "Transform"}},
		{new(bool), "views", []string{"views"}},
		{new(bool), "cases for sluice badges test", []string{"cases"}},
	}
	asked := c.Replicas || c.Search || c.Badges || c.Template
	root, _ := declaration.NewReader(c.File, nil).Parse(c.text) // its faults are those of the kind's own reader
	for _, kind := range kinds {
		if !slices.ContainsFunc(root.Pairs, func(p declaration.Pair) bool { return slices.Contains(kind.begins, p.Key) }) {
			continue
		}
		switch {
		case asked && !*kind.flag:
			return fmt.Errorf("%s declares %s, which isn't what the flag says: leave the flag out", verb.InputName(c.File), kind.name)
		case kind.begins[0] == "cases":
			return fmt.Errorf("%s has %s: sluice badges test FILE runs them", verb.InputName(c.File), kind.name)
		}
		*kind.flag = true
		break
	}
	if c.Template && c.File == "-" {
		return errors.New("a template is read from a file, not from standard input: sluice lint --template FILE")
	}
	return nil
}

func (c *lintCommand) readViews(settings leaderboard.Settings) ([]*view.View, error) {
	if c.File == "" {
		return settings.Views()
	}
	return settings.ReadViews(verb.InputName(c.File), c.text)
}

func (c *lintCommand) lintSearch(settings search.Settings) error {
	read := settings.Routes
	if c.File != "" {
		folder := filepath.Dir(c.File)
		read = func() ([]*search.Route, error) {
			return settings.ReadRoutesWith(verb.InputName(c.File), c.text, os.DirFS(folder), folder+string(filepath.Separator))
		}
		if _, err := os.Stat(filepath.Join(folder, "indexes")); err != nil {
			verb.Say("There is no folder indexes beside %s: the definitions are those of this program.\n", verb.InputName(c.File))
			read = func() ([]*search.Route, error) { return settings.ReadRoutes(verb.InputName(c.File), c.text) }
		}
	}
	routes, err := read()
	for _, r := range routes {
		verb.Say("%s: %s → index %s\n", r.Name, r.Source, r.Index)
		sayWhere(r.Where())
	}
	return err
}

func (c *lintCommand) lintReplicas(settings replication.Settings) error {
	const home = stack.DefaultRegion
	read := func() ([]*replication.Route, error) { return settings.Routes(home) }
	if c.File != "" {
		read = func() ([]*replication.Route, error) { return settings.ReadRoutes(home, verb.InputName(c.File), c.text) }
	}
	routes, err := read()
	for _, r := range routes {
		verb.Say("%s: %s → %s in %s\n", r.Name, r.Source, r.Table, r.Region)
		sayWhere(r.Where())
	}
	return err
}

func (c *lintCommand) lintBadges(settings badges.Settings) error {
	read := settings.Rules
	if c.File != "" {
		read = func() (*rule.Book, error) { return settings.ReadRules(verb.InputName(c.File), c.text) }
	}
	book, err := read()
	if err != nil {
		return err
	}
	for _, r := range book.Rules {
		verb.Say("%s: %s\n", r.Name, r)
	}
	for _, v := range book.Views {
		verb.Say("%s: %s → %s\n", v.Name, v.Source, v.Table)
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
		root, err := verb.Checkout()
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
			verb.Say("%s: no faults\n", fromHere(path))
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
