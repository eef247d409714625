package servers

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// checkSums compares the files of dir with a list in the form of sha256sum. It returns every difference at once.
func checkSums(dir, list string) error {
	text, err := os.ReadFile(list)
	if err != nil {
		return err
	}
	want := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) == 2 {
			want[fields[1]] = fields[0]
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var faults []error
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			return err
		}
		sum := fmt.Sprintf("%x", sha256.Sum256(content))
		listed, known := want[entry.Name()]
		delete(want, entry.Name())
		switch {
		case !known:
			faults = append(faults, fmt.Errorf("%s was fetched, but is not listed", entry.Name()))
		case sum != listed:
			faults = append(faults, fmt.Errorf("%s has the SHA-256 %s, want %s", entry.Name(), sum, listed))
		}
	}
	for name := range want {
		faults = append(faults, fmt.Errorf("%s is listed, but was not fetched", name))
	}
	if len(faults) > 0 {
		return fmt.Errorf("what was fetched is not what %s lists, so none of it is run; look into the repository that Maven used: %w",
			filepath.Base(list), errors.Join(faults...))
	}
	return nil
}
