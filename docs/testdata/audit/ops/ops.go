// Package ops is what people run on audit. No function links it. Without verify.go or backfill.go, sluice has no such verb for
// audit.
package ops

import (
	function "sluice/consumers/audit"
	"sluice/shared/operate"
)

// Consumer returns audit for the command line.
func Consumer() operate.Consumer { return registered{} }

type registered struct{}

// Name implements operate.Consumer.
func (registered) Name() string { return "audit" }

// settings makes settings of the outputs of template.yaml.
func settings(p operate.Part) (function.Settings, error) {
	var s function.Settings
	return s, p.Read(&s)
}
