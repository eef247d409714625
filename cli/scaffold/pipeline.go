package scaffold

import (
	"bytes"
	"errors"
	"fmt"
	"go/format"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

// Pipeline is a repository of a team's own.
type Pipeline struct {
	Module    string   // path of its Go module
	Consumers []string // which of Available it has, in their order
	Sluice    string   // the checkout of Sluice, as go.mod of the repository names it
	Go        string   // the version of Go that Sluice needs
}

// declares are the files of the declarations of each consumer that a pipeline can have.
var declares = []struct{ Consumer, File, What string }{
	{"leaderboard", "views.yaml", "views: sums, counts and latest values"},
	{"replication", "replicas.yaml", "copies in other regions"},
	{"search", "routes.yaml", "routes to indexes of OpenSearch"},
	{"badges", "rules.yaml", "badge rules"},
}

// Available are the consumers that a pipeline can have.
func Available() []string {
	var names []string
	for _, d := range declares {
		names = append(names, d.Consumer)
	}
	return names
}

// Has reports whether the pipeline has a consumer.
func (p Pipeline) Has(consumer string) bool { return slices.Contains(p.Consumers, consumer) }

// Name is the last part of the module's path, as stacks are named.
func (p Pipeline) Name() string {
	path, _, _ := module.SplitPathVersion(p.Module)
	return path[strings.LastIndex(path, "/")+1:]
}

// Declares are the files of the pipeline's declarations.
func (p Pipeline) Declares() []struct{ Consumer, File, What string } {
	return slices.DeleteFunc(slices.Clone(declares), func(d struct{ Consumer, File, What string }) bool { return !p.Has(d.Consumer) })
}

// copied are the files of the checkout of Sluice that a repository has as they are.
var copied = []string{"deploy/stream.yaml", "deploy/observability.yaml", "deploy/observability/consumer.yaml", "deploy/observability/table.yaml"}

// NewPipeline makes a repository in dir, which must be empty or not there, from the checkout of Sluice at root. It declares nothing yet.
// It returns the paths of the files.
func NewPipeline(root, dir string, p Pipeline) ([]string, error) {
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return nil, fmt.Errorf("%s isn't empty: name a new directory", dir)
	}
	if err := module.CheckPath(p.Module); err != nil {
		return nil, fmt.Errorf("--module: %w; it is like example.com/orders", err)
	}
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return nil, err
	}
	parsed, err := modfile.Parse("go.mod", mod, nil)
	if err != nil {
		return nil, err
	}
	p.Go = parsed.Go.Version
	made, err := p.files(root)
	if err != nil {
		return nil, err
	}
	if made["go.mod"], err = p.requires(made["go.mod"], parsed); err != nil {
		return nil, err
	}
	if made["go.sum"], err = os.ReadFile(filepath.Join(root, "go.sum")); err != nil {
		return nil, err
	}
	var paths []string
	for path, text := range made {
		paths = append(paths, path)
		to := filepath.Join(dir, filepath.FromSlash(path))
		if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, text, 0o644)); err != nil {
			return nil, err
		}
	}
	slices.Sort(paths)
	return paths, nil
}

// files returns what the repository has, by path.
func (p Pipeline) files(root string) (map[string][]byte, error) {
	made := map[string][]byte{}
	var faults []error
	add := func(path, source string, data any) {
		text, err := execute(source, data)
		made[path] = text
		faults = append(faults, err)
	}
	for path, source := range map[string]string{
		"go.mod": "go.mod", "README.md": "README.md", "Makefile": "Makefile", "samconfig.toml": "samconfig.toml", ".gitignore": "gitignore",
		".github/workflows/test.yml": "ci.yml", "cmd/sluice/main.go": "main.go", "pipeline/pipeline.go": "pipeline.go",
		"pipeline/ops/ops.go": "ops.go", "pipeline/ops/ops_test.go": "ops_test.go", "pipeline/settings.yaml": "settings.yaml",
	} {
		add(path, source, p)
	}
	for _, d := range p.Declares() {
		add("pipeline/"+d.File, d.File, p)
		add("consumers/"+d.Consumer+"/lambda/main.go", "lambda.go", struct{ Module, Consumer string }{p.Module, d.Consumer})
		paths, err := filepath.Glob(filepath.Join(root, "consumers", d.Consumer, "*.yaml"))
		faults = append(faults, err)
		for _, path := range paths {
			text, err := os.ReadFile(path)
			faults = append(faults, err)
			made["consumers/"+d.Consumer+"/"+filepath.Base(path)] = emptied(text)
		}
	}
	if p.Has("search") {
		made["pipeline/indexes/.gitkeep"] = nil
	}
	if p.Has("badges") {
		add("pipeline/rules_test.yaml", "rules_test.yaml", p)
	}
	for _, path := range copied {
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(path)))
		made[path] = text
		faults = append(faults, err)
	}
	text, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	made["template.yaml"] = p.whole(text)
	return made, errors.Join(append(faults, err)...)
}

// execute returns a file of a new repository.
func execute(source string, data any) ([]byte, error) {
	parsed, err := template.ParseFS(files, "pipeline/"+source+".tmpl")
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if err := parsed.Execute(&text, data); err != nil {
		return nil, err
	}
	if !strings.HasSuffix(source, ".go") {
		return text.Bytes(), nil
	}
	return format.Source(text.Bytes())
}

// requires returns go.mod with all that Sluice requires, so that nothing has to be looked up, and with the command as a tool.
func (p Pipeline) requires(text []byte, sluice *modfile.File) ([]byte, error) {
	mod, err := modfile.Parse("go.mod", text, nil)
	if err != nil {
		return nil, err
	}
	for _, r := range sluice.Require {
		mod.AddNewRequire(r.Mod.Path, r.Mod.Version, true)
	}
	if err := mod.AddTool(p.Module + "/cmd/sluice"); err != nil {
		return nil, err
	}
	mod.Cleanup()
	return mod.Format()
}

var lines = regexp.MustCompile(`(?ms)^( *# sluice:[a-z]+[^\n]*\n)(.*?)(^ *# sluice:end\n)`)

// emptied returns a template without what follows from declarations.
func emptied(text []byte) []byte { return lines.ReplaceAll(text, []byte("$1$3")) }

// An entry of a template's section, with its comments, and what refers to another entry.
var (
	entry     = regexp.MustCompile(`(?m)^(?:  #.*\n)*  ([A-Za-z0-9]+):\n(?:    .*\n|\n)+|^  ([A-Za-z0-9]+): .*\n`)
	location  = regexp.MustCompile(`(?m)^      Location: consumers/([a-z0-9-]+)/template.yaml$`)
	reference = regexp.MustCompile(`!(?:Ref|GetAtt) ([A-Za-z0-9]+)|Condition: ([A-Za-z0-9]+)`)
)

// whole returns the template of the whole pipeline without the consumers that the pipeline hasn't, and what only they need.
func (p Pipeline) whole(text []byte) []byte {
	text = emptied(text)
	gone := map[string]bool{}
	text = entry.ReplaceAllFunc(text, func(found []byte) []byte {
		at := location.FindSubmatch(found)
		if at == nil || p.Has(string(at[1])) {
			return found
		}
		gone[string(entry.FindSubmatch(found)[1])] = true
		return nil
	})
	head, rest, _ := bytes.Cut(text, []byte("\nResources:"))
	resources, outputs, _ := bytes.Cut(rest, []byte("\nOutputs:"))
	outputs = keep(outputs, func(_ string, found []byte) bool {
		for _, m := range reference.FindAllSubmatch(found, -1) {
			if gone[string(m[1])] {
				return false
			}
		}
		return true
	})
	parameters, conditions, _ := bytes.Cut(head, []byte("\nConditions:"))
	conditions = keep(conditions, func(name string, _ []byte) bool { return refers(resources, name) || refers(outputs, name) })
	parameters = keep(parameters, func(name string, _ []byte) bool {
		return name == "Prefix" || refers(resources, name) || refers(conditions, name) || p.Has("replication") && name == "ReplicaRegion"
	})
	if len(bytes.TrimSpace(conditions)) > 0 {
		parameters = slices.Concat(parameters, []byte("\nConditions:"), conditions)
	}
	return slices.Concat(parameters, []byte("\nResources:"), resources, []byte("\nOutputs:"), outputs)
}

func keep(text []byte, wanted func(name string, entry []byte) bool) []byte {
	return entry.ReplaceAllFunc(text, func(found []byte) []byte {
		m := entry.FindSubmatch(found)
		if wanted(string(m[1])+string(m[2]), found) {
			return found
		}
		return nil
	})
}

// refers reports whether a part of a template refers to an entry.
func refers(text []byte, name string) bool {
	return slices.ContainsFunc(reference.FindAllSubmatch(text, -1), func(m [][]byte) bool { return string(m[1]) == name || string(m[2]) == name })
}
