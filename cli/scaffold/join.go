package scaffold

import (
	"bytes"
	"errors"
	"fmt"
	"go/format"
	"os"
	"path/filepath"
	"regexp"
	"text/template"

	"sluice/deploy/sections"
)

// joined are the files of a checkout that name each consumer, with how they name a new one.
var joined = map[string]func(text []byte, c Consumer) ([]byte, error){
	"pipeline/ops/ops.go": register,
	"template.yaml":       nest,
}

// join returns the files that have to name the new consumer, as they are then.
func join(root string, c Consumer) (map[string][]byte, error) {
	changed := map[string][]byte{}
	for path, edit := range joined {
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(path)))
		if err != nil {
			return nil, err
		}
		if changed[path], err = edit(text, c); err != nil {
			return nil, fmt.Errorf("add %s to %s: %w", c.Name, path, err)
		}
	}
	return changed, nil
}

var (
	imports        = []byte("import (\n")
	listEnd        = regexp.MustCompile(`(?s)(return \[\]operate\.Consumer\{\n.*?)(\t\})`)
	outputsSection = regexp.MustCompile(`(?m)^(?:#.*\n)*Outputs:\n`)
)

// register adds the consumer to the list that the command line is given.
func register(text []byte, c Consumer) ([]byte, error) {
	if !bytes.Contains(text, imports) || !listEnd.Match(text) {
		return nil, errors.New(`it has no "return []operate.Consumer{", a line for each consumer, behind its imports`)
	}
	text = bytes.Replace(text, imports, fmt.Appendf(nil, "%s\t%sops \"%s/consumers/%s/ops\"\n", imports, c.Name.Package(), c.module, c.Name), 1)
	return format.Source(listEnd.ReplaceAll(text, fmt.Appendf(nil, "${1}\t\t%sops.Consumer(),\n${2}", c.Name.Package())))
}

// nested is the consumer's stack within the whole one.
var nested = template.Must(template.New("").Parse(`  {{.Name.Resource}}:
    Type: AWS::Serverless::Application
    Properties:
      Location: consumers/{{.Name}}/template.yaml
      Parameters:
        StreamArn: !GetAtt Stream.Outputs.StreamArn
        SourceTable: !GetAtt {{.Source.Application}}.Outputs.{{.Source.Output}}
        AlarmTopicArn: !Ref AlarmTopicArn
{{- if eq .To "dynamodb"}}
        ProtectTables: !Ref ProtectTables
{{- end}}
        KmsKeyArn: !Ref KmsKeyArn
        StreamKmsKeyArn: !Ref KmsKeyArn
        LogRetentionDays: !Ref LogRetentionDays
        EnhancedFanOut: !Ref EnhancedFanOut
        RetentionHours: !Ref RetentionHours

`))

// nest adds the consumer's stack to the whole pipeline's.
func nest(text []byte, c Consumer) ([]byte, error) {
	outputs := outputsSection.FindIndex(text)
	if outputs == nil {
		return nil, errors.New("it has no section Outputs")
	}
	var whole bytes.Buffer
	whole.Write(text[:outputs[0]])
	if err := nested.Execute(&whole, struct {
		Consumer
		Source sections.Table
	}{c, c.source}); err != nil {
		return nil, err
	}
	whole.Write(text[outputs[0]:])
	fmt.Fprintf(&whole, "  %[1]sStack:\n    Description: The stack of %[2]s.\n    Value: !Ref %[1]s\n", c.Name.Resource(), c.Name)
	return whole.Bytes(), nil
}
