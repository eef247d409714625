// Package scaffold makes a new consumer in a checkout: a folder that compiles, passes its tests and can be deployed as
// it is, in which the author edits one function. The command line and the whole pipeline's template name it too.
package scaffold

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"text/template"
)

//go:embed files
var files embed.FS

// File is a file of a new consumer.
type File struct {
	Path string // in the consumer's folder, with slashes
	What string // it has, in a few words
	text []byte
}

// Files returns the files of a consumer, those first that its author edits.
func Files(name Name) ([]File, error) {
	list := []struct{ source, path, what string }{
		{"consumer.go", name.Package() + ".go", "Apply, which says what becomes of a change"},
		{"simulator_test.go", "simulator_test.go", "all that the stream may do to it"},
		{"rights_test.go", "rights_test.go", "what leads to its calls, which its role must allow"},
		{"key.go", "key.go", "the key of what it writes"},
		{"settings.go", "settings.go", "its settings"},
		{"template.yaml", "template.yaml", "function, mapping, rights, table and dead letters"},
		{"main.go", "lambda/main.go", "the function's main"},
		{"ops.go", "ops/ops.go", "what people can do with it on the command line"},
		{"verify.go", "ops/verify.go", "the comparison of its table with the source"},
		{"operate_test.go", "ops/operate_test.go", "the tables on which both are tested"},
		{"backfill.go", "ops/backfill.go", "how a table that exists is brought into it"},
		{"README.md", "README.md", "what the files are, and how to run it"},
	}
	made := make([]File, len(list))
	for i, f := range list {
		source, err := template.ParseFS(files, "files/"+f.source+".tmpl")
		if err != nil {
			return nil, err
		}
		var text bytes.Buffer
		if err := source.Execute(&text, struct{ Name, Package string }{string(name), name.Package()}); err != nil {
			return nil, err
		}
		made[i] = File{Path: f.path, What: f.what, text: text.Bytes()}
	}
	return made, nil
}

// Make makes the folder consumers/NAME in the checkout at root, whole or not at all, adds the consumer to pipeline/pipeline.go and
// template.yaml, and returns the folder's files. A name that can't be is a [*NameError].
func Make(root, name string) (made []File, err error) {
	if err := checkName(root, name); err != nil {
		return nil, err
	}
	if made, err = Files(Name(name)); err != nil {
		return nil, err
	}
	changed, err := join(root, Name(name))
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
