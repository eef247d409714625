package mutant

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	// variable chooses a mutant by its number.
	variable = "SLUICE_MUTANT"
	// prefix begins every name that the overlay adds to a package.
	prefix = "sluiceMutant"
)

// overlay writes the changed files, and the description of them that go build wants. It returns the description's path.
func overlay(dir string, mutants []Mutant) (string, error) {
	files := map[string][]int{}
	for number, m := range mutants {
		files[m.File] = append(files[m.File], number)
	}
	replace := map[string]string{}
	var faults []error
	add := func(path, text string) error {
		original, err := filepath.Abs(path)
		if err != nil {
			return err
		}
		changed := filepath.Join(dir, fmt.Sprint(len(replace), filepath.Base(path)))
		replace[original] = changed
		return os.WriteFile(changed, []byte(text), 0o600)
	}
	for path, numbers := range files {
		source, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		f, err := parse(path, string(source))
		if err != nil {
			return "", err
		}
		for _, number := range numbers {
			faults = append(faults, f.mutate(number, mutants[number]))
		}
		if err := add(path, f.text()); err != nil {
			return "", err
		}
		// One file with the variable for each package. Test files may be of a package of their own.
		name := prefix + ".go"
		if strings.HasSuffix(path, "_test.go") {
			name = prefix + "_test.go"
		}
		choice := fmt.Sprintf("package %s\n\nimport \"os\"\n\nvar %s = os.Getenv(%q)\n", f.syntax.Name.Name, prefix, variable)
		if err := add(filepath.Join(filepath.Dir(path), name), choice); err != nil {
			return "", err
		}
	}
	if err := errors.Join(faults...); err != nil {
		return "", err
	}
	description, err := json.Marshal(map[string]map[string]string{"Replace": replace})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, description, 0o600)
}

// file is a source file to which mutated copies of its functions are added.
type file struct {
	path   string
	source string
	syntax *ast.File
	start  token.Pos
	edits  []edit
	copies strings.Builder
}

// edit inserts text at an offset, in place of what ends at another.
type edit struct {
	from, to int
	text     string
}

func parse(path, source string) (*file, error) {
	set := token.NewFileSet()
	syntax, err := parser.ParseFile(set, path, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	return &file{path: path, source: source, syntax: syntax, start: syntax.FileStart}, nil
}

func (f *file) offset(p token.Pos) int { return int(p - f.start) }

// text returns the file with all edits and copies.
func (f *file) text() string {
	slices.SortStableFunc(f.edits, func(a, b edit) int { return a.from - b.from })
	var out strings.Builder
	at := 0
	for _, e := range slices.Compact(f.edits) { // several mutants of a function give its parameters the same names
		out.WriteString(f.source[at:e.from] + e.text)
		at = e.to
	}
	return out.String() + f.source[at:] + f.copies.String()
}

// mutate adds copies of the functions that contain the mutant's Old text, and calls of the copies.
func (f *file) mutate(number int, m Mutant) error {
	if n := strings.Count(f.source, m.Old); n != 1 {
		return fmt.Errorf("%s contains the guard %d times, not once: adapt the mutant %q to the code\n%s", f.path, n, m.Name, m.Old)
	}
	from := strings.Index(f.source, m.Old)
	for _, d := range f.syntax.Decls {
		function, is := d.(*ast.FuncDecl)
		if is && function.Body != nil && f.offset(function.Body.Pos()) < from && from+len(m.Old) < f.offset(function.End()) {
			f.copy(number, m, function)
			return nil
		}
	}
	return fmt.Errorf("the guard of mutant %q in %s is not in the body of one function: write the guard in a function, or change another text\n%s", m.Name, f.path, m.Old)
}

// copy adds a mutated copy of a function, and calls the copy at the function's begin if the mutant is chosen.
func (f *file) copy(number int, m Mutant, function *ast.FuncDecl) {
	arguments := f.named(function.Type.Params, "Argument")
	name := fmt.Sprint(prefix, function.Name.Name, number)
	begin, end := f.offset(function.Name.Pos()), f.offset(function.Name.End())
	source := strings.Replace(f.source[f.offset(function.Pos()):f.offset(function.End())], m.Old, m.New, 1)
	// The name comes before the guard, so its place has not moved.
	cut := f.offset(function.Pos())
	f.copies.WriteString("\n" + source[:begin-cut] + name + source[end-cut:] + "\n")

	call := name
	if function.Recv != nil {
		call = f.named(function.Recv, "Receiver") + "." + name
	} else if types := function.Type.TypeParams; types != nil {
		var names []string
		for _, field := range types.List {
			for _, one := range field.Names {
				names = append(names, one.Name)
			}
		}
		call += "[" + strings.Join(names, ", ") + "]"
	}
	call += "(" + arguments + ")"
	if function.Type.Results != nil {
		call = "return " + call
	} else {
		call += "; return"
	}
	body := f.offset(function.Body.Lbrace) + 1
	f.edits = append(f.edits, edit{from: body, to: body, text: fmt.Sprintf(" if %s == \"%d\" { %s };", prefix, number, call)})
}

// named returns the names of parameters, as a call passes them. It names those that have no name.
func (f *file) named(list *ast.FieldList, kind string) string {
	var names []string
	for _, field := range list.List {
		spread := ""
		if _, variadic := field.Type.(*ast.Ellipsis); variadic {
			spread = "..."
		}
		if field.Names == nil {
			name := fmt.Sprint(prefix, kind, len(names))
			at := f.offset(field.Type.Pos())
			f.edits = append(f.edits, edit{from: at, to: at, text: name + " "})
			names = append(names, name+spread)
		}
		for _, one := range field.Names {
			name := one.Name
			if name == "_" {
				name = fmt.Sprint(prefix, kind, len(names))
				f.edits = append(f.edits, edit{from: f.offset(one.Pos()), to: f.offset(one.End()), text: name})
			}
			names = append(names, name+spread)
		}
	}
	return strings.Join(names, ", ")
}
