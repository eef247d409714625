package audit

import "sluice/shared/consumer"

// Settings are the consumer's own settings. template.yaml sets them in the function's environment.
type Settings struct {
	// SourceTable is the table whose changes are taken.
	SourceTable string `env:"SOURCE_TABLE" output:"SourceTable,required,notEmpty"`
	// Table is the table that they are applied to.
	Table string `env:"TABLE" output:"Table,required,notEmpty"`
}

// Validate reports every fault at once.
func (s Settings) Validate() error { return consumer.CheckTables(s) }

// Destination names the destination for people.
func (s Settings) Destination() string { return "table " + s.Table }
