package search

import (
	"embed"
	"io/fs"

	"sluice/consumers/search/internal/document"
	"sluice/shared/consumer"
)

// routesFile declares the routes; it is part of the function, as are the
// definitions of its indexes.
//
//go:embed routes.yaml
var routesFile []byte

//go:embed indexes/*.json
var definitions embed.FS

// RoutesPath is where the shipped routes are declared, from the checkout's root.
const RoutesPath = "consumers/search/routes.yaml"

// Route says what of a table is indexed, and where.
type Route = document.Route

// Routes returns the shipped routes, with the tables of these settings.
func (s Settings) Routes() ([]*Route, error) { return s.ReadRoutes(RoutesPath, routesFile) }

// ReadRoutes reads and checks the routes that another file declares, with the shipped definitions. The error has every
// fault with its line and column: [*declaration.Error], joined.
func (s Settings) ReadRoutes(path string, text []byte) ([]*Route, error) {
	return s.ReadRoutesWith(path, text, definitions, "consumers/search/")
}

// ReadRoutesWith is ReadRoutes with other definitions: those in the folder indexes of files. Where is that folder's
// parent, for errors.
func (s Settings) ReadRoutesWith(path string, text []byte, files fs.FS, where string) ([]*Route, error) {
	return document.ReadRoutes(path, text, consumer.Variables(s), files, where)
}
