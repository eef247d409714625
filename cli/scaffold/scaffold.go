// Package scaffold makes a new consumer in a checkout: a folder that compiles, passes its tests and can be deployed as
// it is, in which the author edits one function. The command line and the whole pipeline's template name it too.
package scaffold

import (
	"embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

//go:embed consumer pipeline
var files embed.FS

// File is a file of a new consumer.
type File struct {
	Path string // in the consumer's folder, with slashes
	What string // it has, in a few words
	text []byte
}

// Files returns the files of a consumer that writes to a kind of destination, those first that its author edits.
func Files(name Name, to Kind) ([]File, error) {
	list := []struct{ source, path, what string }{
		{"consumer.go", name.Package() + ".go", "Apply, which says what becomes of a change"},
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
		text, err := to.file(f.source, name)
		if err != nil {
			return nil, err
		}
		if text != nil {
			made = append(made, File{Path: f.path, What: f.what, text: text})
		}
	}
	return made, nil
}

// Make makes the folder consumers/NAME in the checkout at root, whole or not at all, adds the consumer to pipeline/pipeline.go and
// template.yaml, and returns the folder's files. A name that can't be is a [*NameError].
func Make(root, name string, to Kind) (made []File, err error) {
	if err := checkName(root, name); err != nil {
		return nil, err
	}
	if made, err = Files(Name(name), to); err != nil {
		return nil, err
	}
	changed, err := join(root, Name(name), to)
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
