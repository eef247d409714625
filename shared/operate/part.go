package operate

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/caarlos0/env/v11"

	"sluice/shared/declaration"
)

// Part is one consumer's part of a pipeline, as the outputs of the consumer's template tell of it.
type Part struct {
	Consumer string
	Where    string // for people, such as "the local stack" or "stack game"
	Outputs  map[string]string
	Tables   aws.Config // leads to DynamoDB
	AWS      aws.Config // leads to all other services
}

// outputTag names the output whose value a field of settings has.
const outputTag = "output"

// Read reads the outputs into settings, a pointer to a struct: into its fields with a tag like
// `output:"LedgerTable,required"`. Other fields keep their values. Needed are further outputs that must have a
// value. The error names every output that is missing or can't be read, not just the first.
func (p Part) Read(settings any, needed ...string) error {
	var faults []error
	if err := env.ParseWithOptions(settings, env.Options{Environment: p.Outputs, TagName: outputTag}); err != nil {
		all, is := errors.AsType[env.AggregateError](err)
		if !is {
			return fmt.Errorf("read the outputs of %s: %w", p.Where, err)
		}
		for _, fault := range all.Errors {
			faults = append(faults, p.explain(settings, fault))
		}
	}
	for _, name := range needed {
		if p.Outputs[name] == "" {
			faults = append(faults, p.missing(name))
		}
	}
	return p.join(faults)
}

// join joins what is wrong with the outputs.
func (p Part) join(faults []error) error {
	err := errors.Join(faults...)
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w\nis it a stack of this version of consumers/%s/template.yaml?", err, p.Consumer)
}

// Settle returns a pipeline's declarations with the values that the outputs give to the settings. The error names every output that is
// missing of those that the named file needs.
func (p Part) Settle(pipeline declaration.Pipeline, file string) (declaration.Declarations, error) {
	d, err := pipeline.Settle(func(name string) (string, bool) {
		value, ok := p.Outputs[declaration.Output(name)]
		return value, ok
	})
	if err != nil {
		return d, err
	}
	named, err := pipeline.Named(file)
	faults := []error{err}
	for _, name := range named {
		if _, ok := d.Settings[name]; !ok {
			faults = append(faults, p.missing(declaration.Output(name)))
		}
	}
	return d, p.join(faults)
}

func (p Part) missing(name string) error { return fmt.Errorf("%s has no output %s", p.Where, name) }

// explain says what is wrong with an output in an operator's words.
func (p Part) explain(settings any, fault error) error {
	if missing, is := errors.AsType[env.VarIsNotSetError](fault); is {
		return p.missing(missing.Key)
	}
	if empty, is := errors.AsType[env.EmptyVarError](fault); is {
		return fmt.Errorf("output %s of %s is empty", empty.Key, p.Where)
	}
	wrong, is := errors.AsType[env.ParseError](fault)
	if !is {
		return fault
	}
	name := wrong.Name
	if field, known := reflect.TypeOf(settings).Elem().FieldByName(wrong.Name); known {
		name, _, _ = strings.Cut(field.Tag.Get(outputTag), ",")
	}
	return fmt.Errorf("output %s of %s is %q: %w", name, p.Where, p.Outputs[name], wrong.Err)
}
