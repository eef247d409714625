package scaffold

import (
	"errors"
	"fmt"
	"go/token"
	"go/types"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
)

// NameError is returned for a name that a consumer can't have.
type NameError struct {
	Name string
	Why  string
}

func (e *NameError) Error() string {
	return fmt.Sprintf("%q can't be a consumer's name: %s", e.Name, e.Why)
}

// longest leaves room for the rest of a queue's or bucket's name, which begins with a stack's.
const longest = 30

var word = regexp.MustCompile(`^[a-z][a-z0-9]*$`)

// Names that Go gives a meaning of its own, or that stand for something else in the files of a consumer.
var (
	special = []string{"main", "internal", "vendor", "testdata", "lambda", "settings"}
	meant   = []string{"aws", "consumer", "dynamodb", "env", "fmt"}
)

// replica is what the local stack calls what a consumer needs in another region.
const replica = "replica"

// checkName returns a NameError for a name that a consumer of the checkout can't have.
func checkName(root, name string) error {
	why := ""
	switch {
	case !word.MatchString(name):
		why = "it is a Go package and a folder, so it must be small letters a to z and digits, a letter first, such as audit"
	case len(name) > longest:
		why = fmt.Sprintf("it has %d letters, and at most %d are possible", len(name), longest)
	case token.IsKeyword(name), types.Universe.Lookup(name) != nil, slices.Contains(special, name):
		why = "it means something else in Go or in a consumer's folder"
	case slices.Contains(meant, name):
		why = "every consumer's main imports a package of that name"
	case name == replica:
		why = "the local stack calls something else by that name"
	}
	if why != "" {
		return &NameError{name, why}
	}
	for path, why := range map[string]string{
		filepath.Join("consumers", name):      "the folder consumers/" + name + " is there already; remove it, or choose another name",
		filepath.Join("deploy", name+".yaml"): "the local stack names a consumer and the templates of deploy alike, and deploy/" + name + ".yaml is there already",
	} {
		switch _, err := os.Lstat(filepath.Join(root, path)); {
		case err == nil:
			return &NameError{name, why}
		case !errors.Is(err, fs.ErrNotExist):
			return err
		}
	}
	return nil
}
