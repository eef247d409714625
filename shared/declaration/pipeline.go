package declaration

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// SettingsFile is the file of a pipeline's folder that declares its settings with their defaults.
const SettingsFile = "settings.yaml"

// Pipeline is what a team declares: the files of its folder pipeline, whose settings have no values yet.
type Pipeline struct {
	Files  fs.FS
	Folder string // of the files, for errors
}

// Declarations are a pipeline's files with the values of its settings.
type Declarations struct {
	Pipeline
	// Settings are the values of the settings by name, such as ORDERS_TABLE. A file can name only these.
	Settings map[string]string

	replaced map[string]file
}

type file struct {
	path string
	text []byte
}

var settingName = regexp.MustCompile(`^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$`)

// Defaults returns the declarations with each setting's default. The error has every fault of the settings' file.
func (p Pipeline) Defaults() (Declarations, error) {
	d := Declarations{Pipeline: p, Settings: map[string]string{}}
	where, text, err := d.Read(SettingsFile)
	if err != nil {
		return d, err
	}
	r := NewReader(where, nil)
	root, ok := r.Parse(text)
	if !ok {
		return d, r.Err()
	}
	outputs := map[string]string{}
	for _, pair := range r.Pairs(root, "the file") {
		switch other := outputs[Output(pair.Key)]; {
		case !settingName.MatchString(pair.Key) || strings.HasPrefix(pair.Key, "AWS_"):
			r.Fault(pair.At, "%q is no setting's name: use capital letters, digits and single underscores, such as ORDERS_TABLE, and don't begin with AWS_", pair.Key)
		case other != "":
			r.Fault(pair.At, "settings %s and %s would share the output %s: rename one", other, pair.Key, Output(pair.Key))
		}
		outputs[Output(pair.Key)] = pair.Key
		if pair.Value.Kind != Scalar {
			r.Fault(pair.At, "setting %s must be a single value, not %v", pair.Key, pair.Value.Kind)
		}
		d.Settings[pair.Key] = pair.Value.Text
	}
	return d, r.Err()
}

// Settle returns the declarations with the values that lookup finds. A setting that lookup doesn't find has no value, so a file that
// names the setting can't be read: a default would hide that a template forgets the setting.
func (p Pipeline) Settle(lookup func(name string) (string, bool)) (Declarations, error) {
	d, err := p.Defaults()
	for name := range d.Settings {
		value, ok := lookup(name)
		d.Settings[name] = value
		if !ok {
			delete(d.Settings, name)
		}
	}
	return d, err
}

// Named returns the declared settings that a file names, in alphabetical order.
func (p Pipeline) Named(name string) ([]string, error) {
	d, err := p.Defaults()
	if err != nil {
		return nil, err
	}
	_, text, err := d.Read(name)
	var named []string
	for line := range bytes.Lines(text) {
		if bytes.HasPrefix(bytes.TrimSpace(line), []byte("#")) {
			continue // a comment names nothing
		}
		for _, match := range setting.FindAllSubmatch(line, -1) {
			if _, declared := d.Settings[string(match[1])]; declared {
				named = append(named, string(match[1]))
			}
		}
	}
	slices.Sort(named)
	return slices.Compact(named), err
}

// Read returns a file of the declarations, and its path for errors.
func (d Declarations) Read(name string) (where string, text []byte, err error) {
	if f, ok := d.replaced[name]; ok {
		return f.path, f.text, nil
	}
	where = path.Join(d.Folder, name)
	if text, err = fs.ReadFile(d.Files, name); err != nil {
		return where, nil, fmt.Errorf("read %s, which a pipeline must have: %w", where, err)
	}
	return where, text, nil
}

// With returns the declarations with another file in the place of the one with that name, such as one that people check.
func (d Declarations) With(name, where string, text []byte) Declarations {
	d.replaced = map[string]file{name: {where, text}}
	return d
}

// Output returns the name of the output, and of the parameter, by which a template passes a setting on: OrdersTable for ORDERS_TABLE.
func Output(setting string) string {
	var name strings.Builder
	for word := range strings.SplitSeq(strings.ToLower(setting), "_") {
		name.WriteString(strings.ToUpper(word[:min(1, len(word))]) + word[min(1, len(word)):])
	}
	return name.String()
}
