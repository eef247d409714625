package verb

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
)

var ourModule = regexp.MustCompile(`(?m)^module sluice$`)

// Checkout returns the root of the checkout that the working directory is in:
// the templates and consumers there are what a local stack runs.
func Checkout() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && ourModule.Match(text) {
			return dir, nil
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("%s is not in a checkout of Sluice; the local stack runs the templates and consumers of one, so change into it", start)
		}
	}
}
