package scaffold

import (
	"bytes"
	"errors"
	"go/format"
	"io/fs"
	"path"
	"strings"
	"text/template"
)

// Kind is what kind of destination a new consumer writes to.
type Kind string

// The kinds.
const (
	DynamoDB Kind = "dynamodb" // a table
	HTTP     Kind = "http"     // a URL
	S3       Kind = "s3"       // a bucket
	SQS      Kind = "sqs"      // a FIFO queue
)

// sendsEvents reports whether the destination takes each change as an event, and can't be read.
func (k Kind) sendsEvents() bool { return k == HTTP || k == SQS }

// uses reports whether consumers of the kind have a file of those that all kinds share.
func (k Kind) uses(source string) bool {
	switch source {
	case "event.go", "event_test.go":
		return k.sendsEvents()
	case "verify.go":
		return !k.sendsEvents()
	case "server_test.go":
		return k != DynamoDB
	}
	return true
}

// file returns a file of a new consumer, from its template in files, in the kind's folder there, or in both: then the kind's defines
// what the common one leaves open. It returns nil if the kind has no such file.
func (k Kind) file(source string, c Consumer) ([]byte, error) {
	var found []string
	for _, folder := range []string{"consumer", "consumer/" + string(k)} {
		if folder == "consumer" && !k.uses(source) {
			continue
		}
		at := path.Join(folder, source+".tmpl")
		switch _, err := fs.Stat(files, at); {
		case err == nil:
			found = append(found, at)
		case !errors.Is(err, fs.ErrNotExist):
			return nil, err
		}
	}
	if found == nil {
		return nil, nil
	}
	parsed, err := template.ParseFS(files, found...)
	if err != nil {
		return nil, err
	}
	fields := struct{ Name, Package, Module, Table, Backfill, Config, Database string }{
		string(c.Name), c.Name.Package(), c.module, c.source.Name, "Apply", "AWS", "newServer",
	}
	if k.sendsEvents() {
		fields.Backfill = "Backfill"
	}
	if k == DynamoDB {
		fields.Config, fields.Database = "Tables", "servertest.DynamoDB"
	}
	var text bytes.Buffer
	if err := parsed.Execute(&text, fields); err != nil {
		return nil, err
	}
	if !strings.HasSuffix(source, ".go") {
		return text.Bytes(), nil
	}
	return format.Source(text.Bytes())
}
