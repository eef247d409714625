package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sluice/cli/scaffold"
	"sluice/cli/verb"
	"sluice/deploy/sections"
	"sluice/shared/declaration"
	"sluice/shared/operate"
	"sluice/shared/printable"
)

type newPipelineCommand struct {
	Dir       string   `arg:"" type:"path" help:"The directory to make; empty, or not there yet."`
	Module    string   `required:"" help:"Path of its Go module, such as example.com/orders." placeholder:"PATH"`
	Consumers []string `default:"${consumers}" enum:"${consumers}" help:"Which consumers it has, separated by commas; all by default."`
}

// Run makes the repository from the checkout of Sluice that the working directory is in.
func (c *newPipelineCommand) Run(build func(declaration.Pipeline) []operate.Consumer) error {
	root, err := verb.Checkout()
	if err != nil {
		return err
	}
	if inside, err := filepath.Rel(root, c.Dir); err == nil && filepath.IsLocal(inside) {
		return fmt.Errorf("%s is within the checkout of Sluice: name a directory beside it, such as ../orders", fromHere(c.Dir))
	}
	sluice, err := filepath.Rel(c.Dir, root)
	if err != nil {
		return err
	}
	p := scaffold.Pipeline{Module: c.Module, Sluice: filepath.ToSlash(sluice)}
	for _, name := range scaffold.Available() {
		if slices.Contains(c.Consumers, name) {
			p.Consumers = append(p.Consumers, name)
		}
	}
	if len(p.Consumers) == 0 {
		return fmt.Errorf("--consumers names none: choose from %s", strings.Join(scaffold.Available(), ", "))
	}
	made, err := scaffold.NewPipeline(root, c.Dir, p)
	if err != nil {
		return err
	}
	own := declaration.Pipeline{Files: os.DirFS(filepath.Join(c.Dir, "pipeline")), Folder: "pipeline"}
	chosen := slices.DeleteFunc(build(own), func(one operate.Consumer) bool { return !slices.Contains(p.Consumers, one.Name()) })
	files, err := sections.Checkout(c.Dir, own, operate.Offering[operate.Declarer](chosen))
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := f.Write(c.Dir); err != nil {
			return err
		}
	}
	verb.Say("%s has %d files: a pipeline with %s, which declares nothing yet. Next:\n", fromHere(c.Dir), len(made), strings.Join(p.Consumers, ", "))
	var w printable.Table
	w.Row("cd "+fromHere(c.Dir), "where \"go tool sluice\" is the command of this pipeline")
	w.Row("go tool sluice new table Orders --key CustomerId:S --sort OrderId:S", "declares a table; --existing one that is there")
	w.Row("edit the files in pipeline", "views, routes, copies, badges")
	w.Row("go tool sluice lint --fix", "writes what the templates need for them")
	w.Row("make test", "whether all fit together")
	w.Row("go tool sluice up", "starts it on this machine")
	return w.Flush(verb.Stdout)
}

type newTableCommand struct {
	Name     string        `arg:"" help:"Its name, such as Orders. The setting ORDERS_TABLE has the name in declarations."`
	Key      scaffold.Key  `required:"" help:"The partition key: attribute and type, S for text, N for a number, B for bytes." placeholder:"NAME:S"`
	Sort     *scaffold.Key `help:"The sort key, if items have one." placeholder:"NAME:N"`
	Existing bool          `help:"The table is there already: its template makes none on AWS, and sluice attach sends its changes into the stream."`
	NoStream bool          `help:"The table's changes aren't sent into the stream: such as that of a view which no badge, copy or index looks at."`
}

// Run declares the table in the checkout that the working directory is in, and passes it on to all templates.
func (c *newTableCommand) Run(p declaration.Pipeline, consumers registry) error {
	root, err := verb.Checkout()
	if err != nil {
		return err
	}
	if c.Existing && c.NoStream {
		return fmt.Errorf("--existing and --no-stream can't be combined: a table that is there, and whose changes nobody takes, needs no declaration")
	}
	t := scaffold.Table{Name: c.Name, Key: c.Key, Sort: c.Sort, Existing: c.Existing, Stream: !c.NoStream}
	if err := scaffold.MakeTable(root, t); err != nil {
		return err
	}
	verb.Say("%s has the table, and pipeline/%s the setting %s: declarations name it as ${%[3]s}.\n", t.File(), declaration.SettingsFile, t.Setting())
	if c.Existing {
		verb.Say("On AWS, after the deployment: sluice attach %s --stack NAME. The local stack makes the table.\n", c.Name)
	}
	return (&lintCommand{Fix: true}).lintSections(p, consumers)
}
