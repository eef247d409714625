package game

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"sluice/cli/verb"
	badgesops "sluice/consumers/badges/ops"
	"sluice/consumers/search/query"
)

const (
	// maxPlayersAtOnce is how many players the API reads side by side; further
	// questions are told to come again.
	maxPlayersAtOnce = 32
	// playerTimeout bounds how long one may take to be read.
	playerTimeout = 5 * time.Second
	// defaultLanguage is that of the badges' texts.
	defaultLanguage = "en"
)

// playersHandler serves players over HTTP as GET /players/{id}. Its answers are JSON: a
// player, or error. The one parameter is lang. It doesn't ask who asks.
type playersHandler struct {
	reader *playerReader
	log    *slog.Logger
	places chan struct{}
}

func newPlayersHandler(reader *playerReader, log *slog.Logger) *playersHandler {
	return &playersHandler{reader: reader, log: log, places: make(chan struct{}, maxPlayersAtOnce)}
}

func (h *playersHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		h.refuse(w, r, http.StatusMethodNotAllowed, "ask with GET")
		return
	}
	select {
	case h.places <- struct{}{}:
		defer func() { <-h.places }()
	default:
		w.Header().Set("Retry-After", "1")
		h.refuse(w, r, http.StatusServiceUnavailable, "too many questions at once; ask again in a moment")
		return
	}
	name := r.PathValue("id")
	language, err := h.language(r)
	if err == nil {
		err = verb.CheckPlayerName(name)
	}
	if err != nil {
		h.refuse(w, r, http.StatusBadRequest, err.Error())
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), playerTimeout)
	defer cancel()
	p, err := h.reader.read(ctx, name, language)
	if unknown, is := errors.AsType[*badgesops.UnknownPlayerError](err); is {
		h.refuse(w, r, http.StatusNotFound, unknown.Error())
		return
	}
	if err != nil {
		h.log.WarnContext(r.Context(), "a player isn't told", "error", err)
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			h.refuse(w, r, http.StatusGatewayTimeout, "the player took too long to be read; ask again later")
			return
		}
		h.refuse(w, r, http.StatusBadGateway, "the player can't be read at the moment; ask again later")
		return
	}
	query.WriteJSON(w, r, h.log, http.StatusOK, p)
}

// language reads the one parameter.
func (h *playersHandler) language(r *http.Request) (string, error) {
	given, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return "", errors.New("request: its parameters aren't escaped as in URLs")
	}
	language := defaultLanguage
	for name, values := range given {
		if name != "lang" {
			return "", fmt.Errorf("request: there is no parameter %q; there is: lang", name)
		}
		if len(values) > 1 {
			return "", fmt.Errorf("request: parameter lang stands %d times", len(values))
		}
		language = values[0]
	}
	return language, h.reader.badges.CheckLanguage(language)
}

func (h *playersHandler) refuse(w http.ResponseWriter, r *http.Request, status int, why string) {
	query.WriteJSON(w, r, h.log, status, map[string]string{"error": why})
}
