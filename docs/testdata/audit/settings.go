package audit

import "errors"

// Settings are the consumer's own settings. template.yaml sets them in the function's environment.
type Settings struct {
	// SourceTable is the table whose changes are taken.
	SourceTable string `env:"SOURCE_TABLE" output:"SourceTable,required,notEmpty"`
	// Table is the table that they are applied to.
	Table string `env:"TABLE" output:"Table,required,notEmpty"`
}

// Validate reports every fault at once.
func (s Settings) Validate() error {
	var faults []error
	if s.SourceTable == "" {
		faults = append(faults, errors.New("SOURCE_TABLE must name a table"))
	}
	if s.Table == "" {
		faults = append(faults, errors.New("TABLE must name a table"))
	}
	return errors.Join(faults...)
}

// Destination names the destination for people.
func (s Settings) Destination() string { return "table " + s.Table }
