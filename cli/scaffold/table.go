package scaffold

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"

	"sluice/deploy/sections"
	"sluice/shared/declaration"
)

// Key is a key attribute of a table.
type Key struct{ Name, Type string }

var keyText = regexp.MustCompile(`^(.+):([SNB])$`)

// UnmarshalText reads a key such as CustomerId:S.
func (k *Key) UnmarshalText(text []byte) error {
	found := keyText.FindStringSubmatch(string(text))
	if found == nil {
		return fmt.Errorf("%q is no key: name the attribute and its type, S for text, N for a number or B for bytes, such as CustomerId:S", text)
	}
	k.Name, k.Type = found[1], found[2]
	return nil
}

// Table is a table that a pipeline declares.
type Table struct {
	Name     string
	Key      Key
	Sort     *Key // nil: items have no sort key
	Existing bool // it is there already
	Stream   bool // its changes go into the stream
}

// tableName is what a table is called here: its setting and its template are named after it.
var tableName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*([-_.][A-Za-z0-9]+)*$`)

// Setting is the name of the setting that has the table's name, such as MY_ORDERS_TABLE for MyOrders.
func (t Table) Setting() string {
	var name strings.Builder
	var last rune
	for _, c := range t.Name {
		if unicode.IsUpper(c) && (unicode.IsLower(last) || unicode.IsDigit(last)) {
			name.WriteByte('_')
		}
		if strings.ContainsRune("-.", c) {
			c = '_'
		}
		name.WriteRune(unicode.ToUpper(c))
		last = c
	}
	return strings.TrimSuffix(name.String(), "_TABLE") + "_TABLE"
}

// Resource is the name of the table in templates, such as MyOrdersTable.
func (t Table) Resource() string { return declaration.Output(t.Setting()) }

// File is the path of the table's template, from the checkout's root.
func (t Table) File() string {
	return "deploy/" + strings.ReplaceAll(strings.ToLower(strings.TrimSuffix(t.Setting(), "_TABLE")), "_", "-") + ".yaml"
}

// MakeTable declares a table in the checkout at root: a template in deploy, and a setting in pipeline/settings.yaml. The sections of the
// other templates are left as they are.
func MakeTable(root string, t Table) error {
	if len(t.Name) < 3 || len(t.Name) > 200 || !tableName.MatchString(t.Name) {
		return fmt.Errorf("%q can't be a table's name here: it must begin with a letter, have letters, digits, and single -, _ or . between them, and 3 to 200 characters", t.Name)
	}
	if t.Sort != nil && t.Sort.Name == t.Key.Name {
		return fmt.Errorf("--sort %s is the attribute of --key: name another one", t.Sort.Name)
	}
	path, settings := filepath.Join(root, filepath.FromSlash(t.File())), filepath.Join(root, "pipeline", declaration.SettingsFile)
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(fmt.Errorf("%s is there already; remove it, or choose another name", t.File()), err)
	}
	known, err := declaration.Pipeline{Files: os.DirFS(filepath.Join(root, "pipeline")), Folder: "pipeline"}.Defaults()
	if err != nil {
		return err
	}
	if _, taken := known.Settings[t.Setting()]; taken {
		return fmt.Errorf("the setting %s is in pipeline/%s already; choose another name", t.Setting(), declaration.SettingsFile)
	}
	if err := t.free(root); err != nil {
		return err
	}
	text, err := execute("table.yaml", t)
	if err != nil {
		return err
	}
	declared, err := os.ReadFile(settings)
	if err != nil {
		return err
	}
	declared = fmt.Appendf(declared, "\n# The table %s, see %s.\n%s: %s\n", t.Name, t.File(), t.Setting(), t.Name)
	return errors.Join(os.WriteFile(path, text, 0o644), os.WriteFile(settings, declared, 0o644))
}

// free returns an error if a template of the checkout has something else by the table's name.
func (t Table) free(root string) error {
	whole, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		return err
	}
	base := strings.TrimSuffix(filepath.Base(t.File()), ".yaml")
	if id := sections.Logical(base); bytes.Contains(whole, []byte("\n  "+id+":\n")) {
		return fmt.Errorf("template.yaml has %s already, which isn't this table; choose another name", id)
	}
	paths, err := filepath.Glob(filepath.Join(root, "consumers", "*", "*.yaml"))
	if err != nil {
		return err
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if bytes.Contains(text, []byte("TableName: !Sub \"${Prefix}"+t.Name+"\"\n")) {
			return fmt.Errorf("%s makes a table %s of its own; choose another name", path, t.Name)
		}
	}
	return nil
}
