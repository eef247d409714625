package cli

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/deploy/local/stack"
)

// The example beside the rules passes; a case that the rules don't meet is shown with
// its difference, and a faulty file with its faults.
func TestBadgesTest(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	want(t, dir, []string{"badges", "test", "pipeline/rules_test.yaml"}, "ok       ten days in a row, over a leap day", "10 cases: the rules give each the badges it says.")
	write("own.yaml", `
plays: {table: Plays, player: Who, at: When, zone: UTC, earliest: 2020-01-01}
badges:
  - {name: three, title: {en: Three}, text: {en: Three plays}, count: {plays: 3}}
`)
	out, code := run(t, dir, "badges", "test", write("cases.yaml", `
rules: own.yaml
cases:
  - {name: three plays, plays: [{days: 3, from: 2024-01-01}], badges: [three]}
  - {name: two plays, plays: [{days: 2, from: 2024-01-01, Who: ann}], badges: [three]}
  - {name: four plays, plays: [{days: 4, from: 2024-01-01, Who: ann}], badges: []}
`))
	if code != 1 {
		t.Errorf("cases that differ: exit %d, want 1", code)
	}
	wantTexts(t, out, "ok       three plays", "differs  two plays (line 5)", "ann doesn't earn three", "ann earns three, which isn't among the case's badges", "sluice badges test: 2 cases differ")
	out, code = run(t, dir, "badges", "test", write("faulty.yaml", "cases:\n  - {name: x, plays: [{Timestamp: soon}], badges: [first]}\n"))
	if code != 1 {
		t.Errorf("a faulty file: exit %d, want 1", code)
	}
	wantTexts(t, out, "faulty.yaml:2:", "can't use this play", `there is no badge "first"`)
	out, code = run(t, dir, "badges", "test", write("lost.yaml", "rules: none.yaml\ncases: [{name: x, plays: [], badges: []}]\n"))
	if code != 1 {
		t.Errorf("rules that aren't there: exit %d, want 1", code)
	}
	wantTexts(t, out, "none.yaml")
}

// badgesOnALocalStack looks at badges in every way that the command line knows, on a local
// stack where twelve have played; breaks some; and has them repaired, and awarded again.
func badgesOnALocalStack(t *testing.T, dir string) {
	t.Helper()
	want(t, dir, []string{"verify", "badges", "--wait", "2m"}, "badges of 12 players: each that ", "each told, and no state is miscounted.")
	want(t, dir, []string{"verify", "badges", "--json", "--patience", "0s"}, `"consumer": "badges"`, `"differences": []`, `"unjudged": []`)
	want(t, dir, []string{"player", "marah"}, "marah has ", "of 12 players", "★ First steps", "You have played for the first time.", "On the way", "· All-rounder", "0 of 3", "Latest ")
	out, _ := run(t, dir, "player", "marah", "--lang", "de", "--json")
	wantTexts(t, out, `"badge": "first-play"`, `"title": "Erste Schritte"`, `"toldAt": "20`, `"next": [`, `"players": 12`)
	if strings.Contains(out, "well-begun") {
		t.Error("a hidden badge shows before it is earned")
	}
	want(t, dir, []string{"badges", "explain", "marah", "first-play"}, "first-play, First steps: the first play", "★ first-play: earned 20", "marah was told 20")
	want(t, dir, []string{"badges", "explain", "marah", "regular"}, "· gold: ", " of 250")
	want(t, dir, []string{"badges", "explain", "marah", "streak", "--json"}, `"status": "missing"`, `"days": [`)
	for args, text := range map[string]string{
		"player nobody":                  `nobody knows a player "nobody"`,
		"player marah --lang fr":         "there are: de, en",
		"badges explain nobody regular":  `nobody knows a player "nobody"`,
		"badges explain marah champion":  `there is no badge "champion"; there are: first-play, `,
		"rebuild badges-hourly":          `there is no view "badges-hourly"`,
		"player marah --run-dir no/such": "start it with",
	} {
		out, code := run(t, dir, strings.Fields(args)...)
		if code != 1 {
			t.Errorf("sluice %s: exit %d, want 1", args, code)
		}
		wantTexts(t, out, text)
	}

	client, tables := localBadgeTables(t, dir)
	first := map[string]types.AttributeValue{"Player": &types.AttributeValueMemberS{Value: "marah"}, "Award": &types.AttributeValueMemberS{Value: "first-play"}}
	remove := func() {
		t.Helper()
		if _, err := client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String(tables["AchievementTable"]), Key: first}); err != nil {
			t.Fatal(err)
		}
	}
	remove()
	out, code := run(t, dir, "verify", "badges", "--patience", "0s")
	if code != 1 {
		t.Errorf("a badge is missing: exit %d, want 1", code)
	}
	wantTexts(t, out, "first-play", "missing", "1 item differs; sluice verify badges --repair makes them equal")
	out, _ = run(t, dir, "verify", "badges", "--patience", "0s", "--repair", "--yes")
	wantTexts(t, out, "first-play", "awarded", "run the same again to see what differs now")
	want(t, dir, []string{"verify", "badges"}, "each told, and no state is miscounted.")
	want(t, dir, []string{"badges", "explain", "marah", "first-play"}, "★ first-play: earned 20", "nobody was told")

	remove()
	if _, err := client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String(tables["StateTable"]), Key: map[string]types.AttributeValue{
		"Player": &types.AttributeValueMemberS{Value: "marah"}, "Of": &types.AttributeValueMemberS{Value: "total"},
	}}); err != nil {
		t.Fatal(err)
	}
	out, code = run(t, dir, "verify", "badges", "--patience", "0s")
	if code != 1 {
		t.Errorf("a state is gone: exit %d, want 1", code)
	}
	wantTexts(t, out, "miscounted", "then run sluice rebuild badges-total")
	want(t, dir, []string{"backfill", "badges", "--yes", "--clocks", "1s", "--patience", "0s", "--notify"},
		"view badges-total keeps isn't what the plays come to", "12 players with a state: 1 award, 1 notified.")
	want(t, dir, []string{"verify", "badges"}, "each told, and no state is miscounted.")
}

// localBadgeTables returns a client for the tables of a local stack, and its outputs
// that name those of the badges.
func localBadgeTables(t *testing.T, dir string) (*dynamodb.Client, map[string]string) {
	t.Helper()
	info, err := stack.Load(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return dynamodb.NewFromConfig(info.DynamoDB()), info.Outputs["badges"]
}

// askPlayers asks the API for players.
func askPlayers(t *testing.T, address string) {
	t.Helper()
	for path, want := range map[string]string{
		"/players/marah?lang=de": `200 {"player":"marah","total":"`,
		"/players/nobody":        `404 {"error":"nobody knows a player \"nobody\"`,
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if text := response.Status[:4] + string(body); err != nil || !strings.HasPrefix(text, want) {
			t.Errorf("%s: %s, %v\nwant %s", path, text, err, want)
		}
	}
}
