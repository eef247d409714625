// Package pipeline is what this checkout declares: views, routes with their indexes, copies, and badges, with their settings.
package pipeline

import (
	"embed"

	"sluice/shared/declaration"
)

//go:embed *.yaml indexes
var files embed.FS

// Declared are the declarations, which functions and the command line are given.
var Declared = declaration.Pipeline{Files: files, Folder: "pipeline"}
