package game

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sluice/cli/verb"
	"sluice/consumers/badges"
	badgesops "sluice/consumers/badges/ops"
	"sluice/consumers/leaderboard"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumertest/gametest"
)

// Without its tables the API tells people that it can't answer, and nothing of where the
// tables are; what a request has wrong, it tells.
func TestPlayersOverHTTP(t *testing.T) {
	client := dynamodb.NewFromConfig(servertest.DynamoDB(t)) // without tables
	settings := badges.DefaultSettings()
	book, err := settings.Rules(gametest.Declarations())
	if err != nil {
		t.Fatal(err)
	}
	views, err := leaderboard.Views(gametest.Declarations())
	if err != nil {
		t.Fatal(err)
	}
	tables, err := newTables(client, gametest.ScoreTable, views)
	if err != nil {
		t.Fatal(err)
	}
	reader := &playerReader{
		tables: tables,
		badges: badgesops.NewReader(client, settings, book),
	}
	var log bytes.Buffer
	h := newPlayersHandler(reader, slog.New(slog.NewTextHandler(&log, nil)))
	routes := http.NewServeMux()
	routes.Handle("/players/{id}", h)
	ask := func(method, path string) string {
		recorder := httptest.NewRecorder()
		routes.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), method, path, nil))
		return fmt.Sprint(recorder.Code, " ", strings.TrimSpace(recorder.Body.String()))
	}
	for request, want := range map[string]string{
		"GET /players/quynn":                                  `502 {"error":"the player can't be read at the moment; ask again later"}`,
		"GET /players/a%2Fb%20c":                              `502 {"error":"the player can't be read at the moment; ask again later"}`,
		"GET /players/quynn?lang=fr":                          `400 {"error":"the badges have no texts in language \"fr\"; there are: de, en"}`,
		"GET /players/quynn?lang=":                            `400 {"error":"the badges have no texts in language \"\"; there are: de, en"}`,
		"GET /players/quynn?lang=de&lang=en":                  `400 {"error":"request: parameter lang stands 2 times"}`,
		"GET /players/quynn?language=de":                      `400 {"error":"request: there is no parameter \"language\"; there is: lang"}`,
		"GET /players/quynn?lang=%zz":                         `400 {"error":"request: its parameters aren't escaped as in URLs"}`,
		"GET /players/" + strings.Repeat("x", verb.MaxName+1): `400 {"error":"a player's name has 1 to 2048 bytes of UTF-8"}`,
		"GET /players/%ff":                                    `400 {"error":"a player's name has 1 to 2048 bytes of UTF-8"}`,
		"DELETE /players/quynn":                               `405 {"error":"ask with GET"}`,
	} {
		method, path, _ := strings.Cut(request, " ")
		if got := ask(method, path); got != want {
			t.Errorf("%.60s: %s\nwant %s", request, got, want)
		}
	}
	if !strings.Contains(log.String(), "a player isn't told") || !strings.Contains(log.String(), "ResourceNotFoundException") {
		t.Errorf("the log doesn't say why: %s", &log)
	}
	for range maxPlayersAtOnce {
		h.places <- struct{}{}
	}
	if got, want := ask("GET", "/players/quynn"), `503 {"error":"too many questions at once; ask again in a moment"}`; got != want {
		t.Errorf("with too many: %s, want %s", got, want)
	}
}
