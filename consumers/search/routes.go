package search

import (
	"sluice/consumers/search/internal/document"
	"sluice/shared/declaration"
)

// RoutesFile is the file of a pipeline that declares the routes. The definitions of their indexes are in the folder indexes beside it.
const RoutesFile = "routes.yaml"

// Route says what of a table is indexed, and where.
type Route = document.Route

// Routes returns the declared routes. The error has every fault with its line and column: [*declaration.Error], joined.
func Routes(d declaration.Declarations) ([]*Route, error) {
	path, text, err := d.Read(RoutesFile)
	if err != nil {
		return nil, err
	}
	return document.ReadRoutes(path, text, d.Settings, d.Files, d.Folder+"/")
}
