package stack

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// sourcesFile has what a stack was made of: a checksum of each file, by its path below the checkout.
const sourcesFile = "sources.json"

// sourcesOf returns the checksums of the files that a stack is made of: templates, declarations and what functions are built of.
func sourcesOf(root string) (map[string]string, error) {
	sums := map[string]string{}
	for _, top := range []string{"deploy", "consumers", "shared", "pipeline", "go.mod", "go.sum"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, entry fs.DirEntry, err error) error {
			switch {
			case errors.Is(err, fs.ErrNotExist):
				return nil // a checkout may have no consumers
			case err != nil:
				return err
			case entry.IsDir() && (entry.Name() == "testdata" || top == "deploy" && path != filepath.Join(root, top)):
				return fs.SkipDir // deploy itself has the templates
			case !entry.Type().IsRegular() || strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, ".md"):
				return nil
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			relative, err := filepath.Rel(root, path)
			sum := sha256.Sum256(text)
			sums[relative] = hex.EncodeToString(sum[:8])
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return sums, nil
}

func writeSources(runDir, root string) error {
	sums, err := sourcesOf(root)
	if err != nil {
		return err
	}
	text, err := json.Marshal(sums)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(runDir, sourcesFile), text, 0o600)
}

// Changed returns the files of the checkout, sorted, that were changed, added or removed since the stack was started.
func Changed(runDir, root string) ([]string, error) {
	text, err := os.ReadFile(filepath.Join(runDir, sourcesFile))
	if err != nil {
		return nil, err
	}
	var then map[string]string
	if err := json.Unmarshal(text, &then); err != nil {
		return nil, err
	}
	now, err := sourcesOf(root)
	if err != nil {
		return nil, err
	}
	for path, sum := range then {
		if now[path] == sum {
			delete(now, path)
		} else {
			now[path] = "" // it may have been removed
		}
	}
	return slices.Sorted(maps.Keys(now)), nil
}
