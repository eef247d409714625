package document_test

import (
	"testing"

	"sluice/shared/consumertest/simulator/mutant"
)

// TestEveryEscapeIsNeeded takes the escapes out of ids, one at a time; each time two items must have one document.
func TestEveryEscapeIsNeeded(t *testing.T) {
	mutant.Run(t, mutant.Test{Name: "TestDocumentIDs", Says: "have the same document"}, []mutant.Mutant{
		{
			Name: "what joins keys is escaped in them",
			File: "document.go",
			Old:  `"#%~"`,
			New:  `"%~"`,
		},
		{
			Name: "what escapes is escaped",
			File: "document.go",
			Old:  `"#%~"`,
			New:  `"#~"`,
		},
	})
}
