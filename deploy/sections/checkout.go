package sections

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/deploy/local/template"
	"sluice/shared/declaration"
	"sluice/shared/operate"
)

// File is a template of a checkout, as it is and as the declarations ask for it.
type File struct {
	Path      string // from the checkout's root
	Now, Want string
}

// FirstDifference returns the first line of each that differs, with its number; 0 if nothing does.
func (f File) FirstDifference() (line int, now, want string) {
	nows, wants := strings.Split(f.Now, "\n"), strings.Split(f.Want, "\n")
	for i := range max(len(nows), len(wants)) {
		now, want := at(nows, i), at(wants, i)
		if now != want {
			return i + 1, now, want
		}
	}
	return 0, "", ""
}

// HasSections reports whether declarations ask for anything in the template.
func (f File) HasSections() bool { return section.MatchString(f.Now) }

// Write writes the template as the declarations ask for it, in the checkout at root.
func (f File) Write(root string) error {
	return os.WriteFile(filepath.Join(root, filepath.FromSlash(f.Path)), []byte(f.Want), 0o644)
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return strings.TrimSpace(lines[i])
	}
	return ""
}

// Checkout returns the templates of the checkout at root that have sections: those of the consumers that are there, and that of the
// whole pipeline. The error has every fault.
func Checkout(root string, p declaration.Pipeline, consumers []operate.Declarer) ([]File, error) {
	parts, err := readParts(root)
	if err != nil {
		return nil, err
	}
	var files []File
	var faults []error
	add := func(path string, fill func(text []byte) ([]byte, error)) {
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(path)))
		if errors.Is(err, os.ErrNotExist) {
			return // this consumer isn't deployed from here, or needs no such template
		}
		want := text
		if err == nil {
			want, err = fill(text)
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", path, err))
			return
		}
		files = append(files, File{path, string(text), string(want)})
	}
	settings := map[string][]string{}
	for _, c := range consumers {
		n, err := needsOf(p, c)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		settings[c.Name()] = n.named
		folder := "consumers/" + c.Name()
		add(folder+"/template.yaml", func(text []byte) ([]byte, error) {
			want, err := n.consumer(text)
			if strings.Contains(string(want), "\n  Prefix:\n") {
				settings[c.Name()] = operate.Distinct(append(n.named, "PREFIX"))
			}
			return want, err
		})
		add(folder+"/destination.yaml", func(text []byte) ([]byte, error) { return n.copies(text, parts.tables) })
		if err := parts.check(n); err != nil {
			faults = append(faults, err)
		}
	}
	if len(faults) == 0 { // or what it passes on isn't known
		add("template.yaml", func(text []byte) ([]byte, error) { return whole(text, parts, settings) })
	}
	return files, errors.Join(faults...)
}

// parts are the templates in the folder deploy.
type parts struct {
	all    []*part
	tables []template.Table
}

type part struct {
	*template.Template
	resources *template.Resources
	name      string // of the file, without its ending
}

func readParts(root string) (*parts, error) {
	paths, err := filepath.Glob(filepath.Join(root, "deploy", "*.yaml"))
	if err != nil {
		return nil, err
	}
	found := &parts{}
	for _, path := range paths {
		read, err := template.Read(path)
		if err != nil {
			return nil, err
		}
		given := read.MakesTables()
		for _, p := range read.Parameters {
			if p.Default == nil {
				given[p.Name] = "arn:aws:kinesis:us-east-1:000000000000:stream/any"
			}
		}
		resources, err := read.Resolve(template.Scope{StackName: "any", Region: "us-east-1", AccountID: "000000000000", Parameters: given})
		if err != nil {
			return nil, err
		}
		found.all = append(found.all, &part{read, resources, strings.TrimSuffix(filepath.Base(path), ".yaml")})
		found.tables = append(found.tables, resources.Tables...)
	}
	return found, nil
}

// check returns an error for each table that declarations name and that no template in deploy makes, or whose changes no stream carries.
func (p *parts) check(of *needs) error {
	n, folder := of.byDefault, of.defaults.Folder
	var faults []error
	find := func(name string) *template.Table {
		if i := slices.IndexFunc(p.tables, func(t template.Table) bool { return t.Name == name }); i >= 0 {
			return &p.tables[i]
		}
		faults = append(faults, fmt.Errorf("%s/%s names table %s, which no template in deploy makes: sluice new table declares one", folder, n.File, name))
		return nil
	}
	for _, name := range operate.Distinct(n.Sources) {
		if t := find(name); t != nil && t.Changes == nil {
			faults = append(faults, fmt.Errorf("%s/%s takes changes of table %s, which don't go into the stream: its template in deploy needs a KinesisStreamSpecification", folder, n.File, name))
		}
	}
	for _, name := range operate.Distinct(n.Kept) {
		if !slices.Contains(n.Sources, name) {
			find(name)
		}
	}
	for _, t := range p.tables {
		for _, key := range n.Keys[t.Name] {
			if written, has := typesOf(key), keyOf(t); !maps.Equal(written, has) {
				faults = append(faults, fmt.Errorf("%s/%s writes items with the key %s into table %s, whose key is %s in deploy", folder, n.File, keyText(written), t.Name, keyText(has)))
			}
		}
	}
	return errors.Join(faults...)
}

// typesOf returns the types of a key's attributes, by name. Declarations make texts and numbers.
func typesOf(key map[string]types.AttributeValue) map[string]string {
	kinds := map[string]string{}
	for name, value := range key {
		kinds[name] = "S"
		if _, number := value.(*types.AttributeValueMemberN); number {
			kinds[name] = "N"
		}
	}
	return kinds
}

// keyOf returns the types of the attributes of a table's key, by name.
func keyOf(t template.Table) map[string]string {
	kinds := map[string]string{}
	for _, a := range t.Attributes {
		if slices.ContainsFunc(t.Keys, func(k types.KeySchemaElement) bool { return *k.AttributeName == *a.AttributeName }) {
			kinds[*a.AttributeName] = string(a.AttributeType)
		}
	}
	return kinds
}

// keyText writes a key as "sluice new table" takes one: Day:S.
func keyText(kinds map[string]string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		parts = append(parts, name+":"+kinds[name])
	}
	return strings.Join(parts, ", ")
}

// whole returns the template of the whole pipeline. Its sections parameters, tables and outputs have the parts of deploy that aren't named
// elsewhere, and the section settings NAME passes to the consumer NAME each setting that a part has an output for, or that the template takes as a
// parameter of its own.
func whole(text []byte, parts *parts, settings map[string][]string) ([]byte, error) {
	before, _, _ := strings.Cut(string(text), "\nResources:")
	outside := section.ReplaceAllString(string(text), "")
	value := func(name, self string) string {
		for _, p := range parts.all {
			if p.name != self && slices.Contains(p.OutputNames(), name) {
				return "!GetAtt " + Logical(p.name) + ".Outputs." + name
			}
		}
		if has(before, name) {
			return "!Ref " + name
		}
		return "" // its default will do
	}
	var parameters, tables, outputs strings.Builder
	for _, p := range parts.all {
		if strings.Contains(outside, "Location: deploy/"+p.name+".yaml\n") {
			continue
		}
		fmt.Fprintf(&tables, "%s:\n  Type: AWS::Serverless::Application\n  Properties:\n    Location: deploy/%s.yaml\n    Parameters:\n", Logical(p.name), p.name)
		for _, parameter := range p.Parameters {
			if _, ok := p.MakesTables()[parameter.Name]; ok {
				fmt.Fprintf(&parameters, "%s:\n  Type: String\n  Default: %q\n  Description: See deploy/%s.yaml.\n", parameter.Name, *parameter.Default, p.name)
				fmt.Fprintf(&tables, "      %s: !Ref %[1]s\n", parameter.Name)
			} else if from := value(parameter.Name, p.name); from != "" {
				fmt.Fprintf(&tables, "      %s: %s\n", parameter.Name, from)
			}
		}
		tables.WriteString("\n")
		for _, name := range p.OutputNames() {
			fmt.Fprintf(&outputs, "%s:\n  Description: Output %[1]s of deploy/%s.yaml.\n  Value: !GetAtt %s.Outputs.%[1]s\n", name, p.name, Logical(p.name))
		}
	}
	lines := map[string]string{"parameters": parameters.String(), "tables": tables.String(), "outputs": outputs.String()}
	for consumer, names := range settings {
		if !strings.Contains(string(text), "# sluice:settings "+consumer) {
			continue // it isn't part of the whole
		}
		var passed strings.Builder
		for _, name := range names {
			if from := value(declaration.Output(name), ""); from != "" {
				fmt.Fprintf(&passed, "%s: %s\n", declaration.Output(name), from)
			}
		}
		lines["settings "+consumer] = passed.String()
	}
	filled, err := fill(string(text), lines)
	return []byte(filled), err
}

// Logical returns the logical ID for a file's name: MyOrders for my-orders.
func Logical(name string) string {
	var id strings.Builder
	for word := range strings.FieldsFuncSeq(name, func(r rune) bool { return r == '-' || r == '_' }) {
		id.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return id.String()
}
