package verb

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"

	"golang.org/x/mod/modfile"

	"sluice/shared/declaration"
)

// Checkout returns the root of the checkout that the working directory is in, which must be one of this program's module: the
// templates and consumers there are what a local stack runs.
func Checkout() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	ours := "sluice"
	if built, ok := debug.ReadBuildInfo(); ok && built.Main.Path != "" {
		ours = built.Main.Path
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && modfile.ModulePath(text) == ours {
			return dir, nil
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("%s is not in a checkout of module %s, which this program was built from; the local stack runs the templates and consumers of one, so change into it", start, ours)
		}
	}
}

// OnDisk returns the pipeline's files as they are in the checkout that the working directory is in. Elsewhere it returns those that
// are part of the program.
func OnDisk(p declaration.Pipeline) declaration.Pipeline {
	if root, err := Checkout(); err == nil {
		p.Files = os.DirFS(filepath.Join(root, p.Folder))
	}
	return p
}
