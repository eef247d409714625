package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"sluice/cli/verb"
	"sluice/deploy/local/template"
	"sluice/shared/declaration"
	"sluice/shared/operate"
)

type lintCommand struct {
	File     string `arg:"" optional:"" type:"existingfile" help:"The file, or - for standard input. Without it: the declarations in the checkout's folder pipeline, and the templates of its consumers."`
	As       string `help:"The file declares something for this consumer, such as search. Without it, the file's own keys tell." placeholder:"CONSUMER" xor:"kind"`
	Template bool   `help:"The file is a consumer's SAM template." xor:"kind"`
	Fix      bool   `help:"Write what the templates of the checkout lack for the declarations: parameters, rights, environment variables and outputs."`

	Retention time.Duration `default:"168h" help:"For templates: how long the stream keeps a change, RetentionHours of deploy/stream.yaml."`
}

// Run checks the file with the settings' defaults.
func (c *lintCommand) Run(p declaration.Pipeline, consumers registry) error {
	if c.File == "" {
		return errors.Join(c.lintPipeline(p, consumers), c.lintSections(p, consumers), c.lintTemplates())
	}
	if c.Fix {
		return errors.New("--fix is for the whole checkout: leave the file out")
	}
	file, err := readFile(c.File)
	if err != nil {
		return err
	}
	linter, err := c.kind(consumers, file)
	if err != nil {
		return err
	}
	if linter == nil {
		return c.lintTemplates()
	}
	return linter.Lint(verb.Stdout, file)
}

// lintPipeline checks the declarations of the pipeline.
func (c *lintCommand) lintPipeline(p declaration.Pipeline, consumers registry) error {
	linters := operate.Offering[operate.Linter](consumers)
	var paths []string
	for _, l := range linters {
		for _, d := range l.Declares() {
			if d.Path != "" {
				paths = append(paths, p.Folder+"/"+d.Path)
			}
		}
	}
	where := "as they are in this program"
	if root, err := verb.Checkout(); err == nil {
		where = "as they are in " + root
	}
	verb.Say("The declarations of %s, %s:\n", strings.Join(paths, ", "), where)
	var faults []error
	for _, l := range linters {
		faults = append(faults, l.Lint(verb.Stdout, nil))
	}
	return errors.Join(faults...)
}

// readFile reads a file as it is: its faults are those of the kind's own reader.
func readFile(path string) (*operate.File, error) {
	in, err := verb.OpenInput(path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	f := &operate.File{Path: path, Name: verb.InputName(path)}
	if f.Text, err = io.ReadAll(in); err != nil {
		return nil, fmt.Errorf("read %s: %w", f.Name, err)
	}
	return f, nil
}

// templateKeys are keys of which a SAM template has one.
var templateKeys = []string{"Resources", "AWSTemplateFormatVersion", "Transform"}

// kind returns who checks the file: the linter that a flag names or else the one of the file's keys. It returns nil for a template.
func (c *lintCommand) kind(consumers registry, file *operate.File) (operate.Linter, error) {
	linters := operate.Offering[operate.Linter](consumers)
	root, _ := declaration.NewReader(file.Path, nil).Parse(file.Text)
	has := func(keys []string) bool {
		return slices.ContainsFunc(root.Pairs, func(p declaration.Pair) bool { return slices.Contains(keys, p.Key) })
	}
	var found operate.Linter
	what := ""
	for _, l := range linters {
		for _, d := range l.Declares() {
			if !has(d.Keys) || found != nil && l.Name() != c.As {
				continue
			}
			if d.Instead != "" && c.As == "" && !c.Template {
				return nil, fmt.Errorf("%s has %s: %s", file.Name, d.What, d.Instead)
			}
			found, what = l, d.What
		}
	}
	isTemplate := found == nil && has(templateKeys)
	if isTemplate {
		what = "a SAM template"
	}
	switch {
	case what != "" && (c.Template && !isTemplate || c.As != "" && (isTemplate || found.Name() != c.As)):
		return nil, fmt.Errorf("%s declares %s, which isn't what the flag says: leave the flag out", file.Name, what)
	case (c.Template || isTemplate) && c.File == "-":
		return nil, errors.New("a template is read from a file, not from standard input: sluice lint --template FILE")
	case c.Template || isTemplate:
		return nil, nil
	case c.As != "":
		return offered[operate.Linter](consumers, c.As, "has no declarations")
	case found == nil && len(linters) > 0:
		return linters[0], nil // which says what it expects
	}
	return found, nil
}

// lintTemplates checks the file, or all templates of the checkout that make something; elsewhere there are none.
func (c *lintCommand) lintTemplates() error {
	paths := []string{c.File}
	if c.File == "" {
		root, err := verb.Checkout()
		if err != nil {
			return nil //nolint:nilerr // what ships in the binary can be checked anywhere
		}
		if paths, err = template.Find(root); err != nil {
			return err
		}
	}
	var faults []error
	for _, path := range paths {
		read, err := template.Read(path)
		if err == nil {
			err = read.Check(c.Retention)
		}
		if err == nil {
			verb.Say("%s: no faults\n", fromHere(path))
		}
		faults = append(faults, err)
	}
	if err := errors.Join(faults...); err != nil {
		return fmt.Errorf("the templates have faults:\n%w", err)
	}
	return nil
}

// fromHere shortens a path to one from the working directory, if it is below that.
func fromHere(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	if short, err := filepath.Rel(here, path); err == nil && filepath.IsLocal(short) {
		return short
	}
	return path
}
