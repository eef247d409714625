package operate

import (
	"context"
	"log/slog"
	"net/http"

	"sluice/shared/declaration"
)

// Server answers over HTTP: sluice api. It is a Consumer, or a struct of further verbs.
type Server interface {
	// Handlers returns what answers. Handlers must be safe for concurrent use.
	Handlers(ctx context.Context, s Serving) ([]Handler, error)
}

// Serving is what a Server is asked with.
type Serving struct {
	Pipeline declaration.Pipeline
	Whole    bool // give every attribute of an item, not only those that are indexed
	Log      *slog.Logger
	Find     func(consumer string) (Part, error) // finds a consumer of the chosen pipeline
}

// Handler answers requests of a pattern of http.ServeMux.
type Handler struct {
	Pattern string
	Handler http.Handler
	Example string // a path with its query, for people
}
