// Package scaffold makes a new consumer in a checkout: a folder that compiles, passes its tests and can be deployed as
// it is, in which the author edits one function. The command line and the whole pipeline's template name it too.
package scaffold

import (
	"embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"

	"sluice/deploy/sections"
)

//go:embed consumer pipeline
var files embed.FS

// File is a file of a new consumer.
type File struct {
	Path string // in the consumer's folder, with slashes
	What string // it has, in a few words
	text []byte
}

// Consumer is a consumer to be made.
type Consumer struct {
	Name  Name
	To    Kind   // where it writes
	Table string // whose changes it takes; empty: the first of the checkout whose changes go into the stream

	module string         // of the checkout
	source sections.Table // what Table is
}

// find finds out what the checkout at root says of the consumer.
func (c *Consumer) find(root string) error {
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return err
	}
	c.module = modfile.ModulePath(mod)
	tables, err := sections.Tables(root)
	if err != nil {
		return err
	}
	var names []string
	for _, t := range tables {
		if t.Changes == nil {
			continue
		}
		if names = append(names, t.Name); t.Name == c.Table || c.Table == "" {
			c.source = t
			return nil
		}
	}
	if c.Table == "" {
		return errors.New("no template in deploy has a table whose changes go into the stream: declare one with sluice new table")
	}
	return fmt.Errorf("no template in deploy has a table %q whose changes go into the stream; there are: %s", c.Table, strings.Join(names, ", "))
}

// Files returns the consumer's files, those first that its author edits.
func (c Consumer) Files() ([]File, error) {
	list := []struct{ source, path, what string }{
		{"consumer.go", c.Name.Package() + ".go", "Apply, which says what becomes of a change"},
		{"event.go", "event.go", "what the receiver gets of a change, and the change's identity"},
		{"simulator_test.go", "simulator_test.go", "all that the stream may do to it"},
		{"destination_test.go", "destination_test.go", "the destination in the test, and what it must hold"},
		{"event_test.go", "event_test.go", "what the receiver must hold, and the identities of a backfill"},
		{"server_test.go", "server_test.go", "the server in the test"},
		{"rights_test.go", "rights_test.go", "what leads to its calls, which its role must allow"},
		{"key.go", "key.go", "the key of what it writes"},
		{"settings.go", "settings.go", "its settings"},
		{"template.yaml", "template.yaml", "function, mapping, rights, destination and dead letters"},
		{"main.go", "lambda/main.go", "the function's main"},
		{"ops.go", "ops/ops.go", "what people can do with it on the command line"},
		{"verify.go", "ops/verify.go", "the comparison of its destination with the source"},
		{"destination.go", "ops/destination.go", "how the comparison reads the destination"},
		{"operate_test.go", "ops/operate_test.go", "the tables on which both are tested"},
		{"backfill.go", "ops/backfill.go", "how a table that exists is brought into it"},
		{"README.md", "README.md", "what the files are, and how to run it"},
	}
	var made []File
	for _, f := range list {
		text, err := c.To.file(f.source, c)
		if err != nil {
			return nil, err
		}
		if text != nil {
			made = append(made, File{Path: f.path, What: f.what, text: text})
		}
	}
	return made, nil
}

// Make makes the folder consumers/NAME in the checkout at root, whole or not at all, adds the consumer to pipeline/ops/ops.go and
// template.yaml, and returns the folder's files. A name that can't be is a [*NameError].
func Make(root string, c Consumer) (made []File, err error) {
	name := string(c.Name)
	if err := checkName(root, name); err != nil {
		return nil, err
	}
	if err := c.find(root); err != nil {
		return nil, err
	}
	if made, err = c.Files(); err != nil {
		return nil, err
	}
	changed, err := join(root, c)
	if err != nil {
		return nil, err
	}
	consumers := filepath.Join(root, "consumers")
	// Go and the local stack look into no folder that begins with a dot.
	work, err := os.MkdirTemp(consumers, ".new-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	folder := filepath.Join(work, name) // not work itself, which only its owner may read
	for _, f := range made {
		path := filepath.Join(folder, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(path, f.text, 0o644); err != nil {
			return nil, err
		}
	}
	if err := os.Rename(folder, filepath.Join(consumers, name)); err != nil {
		return nil, fmt.Errorf("put the new consumer in its place: %w", err)
	}
	for path, text := range changed {
		if err := os.WriteFile(filepath.Join(root, filepath.FromSlash(path)), text, 0o644); err != nil {
			return nil, fmt.Errorf("consumers/%s is made, but %s doesn't name it: %w", name, path, err)
		}
	}
	return made, nil
}
