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
	"strings"
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

var word = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// Name is a consumer's name, such as my-orders, in the forms that its files need.
type Name string

// Package is the name of its Go package, such as myorders.
func (n Name) Package() string { return strings.ReplaceAll(string(n), "-", "") }

// Resource is the name of its resources in a template with others, such as MyOrders.
func (n Name) Resource() string {
	var parts strings.Builder
	for part := range strings.SplitSeq(string(n), "-") {
		parts.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return parts.String()
}

// Names that Go gives a meaning of its own, or that stand for something else in the files of a consumer.
var (
	special = []string{"main", "internal", "vendor", "testdata", "lambda", "settings"}
	meant   = []string{"aws", "consumer", "dynamodb", "env", "fmt"}
)

// checkName returns a NameError for a name that a consumer of the checkout can't have.
func checkName(root, name string) error {
	why, pkg := "", Name(name).Package()
	switch {
	case !word.MatchString(name):
		why = "it must be small letters a to z and digits, a letter first, with hyphens between words, such as audit or my-orders"
	case len(name) > longest:
		why = fmt.Sprintf("it has %d characters, and at most %d are possible", len(name), longest)
	case token.IsKeyword(pkg), types.Universe.Lookup(pkg) != nil, slices.Contains(special, pkg):
		why = "it means something else in Go or in a consumer's folder"
	case slices.Contains(meant, pkg):
		why = "every consumer's main imports a package of that name"
	case name == "replica": // what a consumer needs in another region
		why = "the local stack calls something else by that name"
	}
	if why != "" {
		return &NameError{name, why}
	}
	folders, err := os.ReadDir(filepath.Join(root, "consumers"))
	if err != nil {
		return err
	}
	for _, f := range folders {
		if f.Name() != name && Name(f.Name()).Package() == pkg {
			return &NameError{name, "the Go package of consumers/" + f.Name() + " has the same name, " + pkg}
		}
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
