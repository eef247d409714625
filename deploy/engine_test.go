package deploy_test

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"sluice/pipeline/game"
	"sluice/shared/consumertest/gametest"
	"sluice/shared/declaration"
)

// own says why the engine has a name of the shipped pipeline for itself, and in which files: those whose paths begin with one of in.
type own struct {
	why string
	in  []string
}

// engineWords are names of the shipped pipeline that the engine has for itself.
var engineWords = map[string]own{
	"age": {"plain English", nil}, "notes": {"plain English", nil}, "tags": {"plain English", nil}, "timestamp": {"plain English", nil}, "type": {"plain English, and a word of Go", nil},
	"name": {"a key of every language of declarations", nil}, "players": {"earn badges", nil}, "player": {"a key of the rules' language", nil}, "plays": {"a key of the rules' language", nil},
	"leaderboard": {"the consumer", nil}, "Bucket": {"of S3, and of a view's numbers", nil}, "Prefix": {"the parameter of every template for PREFIX", nil},
	"ExpiresAt":       {"the time to live of the engine's own tables", []string{"consumers/", "shared/aggregate/", "shared/rebuild/"}},
	"Leaderboard":     {"the consumer, at the beginning of a description", []string{"consumers/leaderboard/template.yaml"}},
	"Board":           {"a view that is read in the order of a number", []string{"consumers/leaderboard/", "shared/view/board.go"}},
	"Players":         {"share the load", []string{"cli/plan", "deploy/capacity/", "consumers/badges/ops/"}},
	"PK":              {"the key of the table of a log", []string{"cli/load"}},
	"PREFIX":          {"a setting of every pipeline", []string{"cli/scaffold/pipeline/", "deploy/sections/"}},
	"REPLICA_REGION":  {"a setting of every new pipeline", []string{"cli/scaffold/pipeline/"}},
	"ReplicaRegion":   {"the parameter for REPLICA_REGION", []string{"cli/scaffold/pipeline.go"}},
	"RemoveExpired":   {"a field for a key of the copies' language", []string{"consumers/replication/"}},
	"SubtractExpired": {"a field for a key of the rules' language", []string{"consumers/badges/"}},
	"replica":         {"what a copy is", []string{"consumers/replication/", "deploy/local/stack/plan.go", "cli/scaffold/name.go"}},
	"regular":         {"plain English: an expression, a file", []string{"consumers/search/query/", "shared/consumertest/simulator/mutant/"}},
	"Score":           {"a field of a hit", []string{"consumers/search/query/"}},
	"score":           {"a field of a hit", []string{"consumers/search/query/"}},
	"streak":          {"a kind of rule", []string{"consumers/badges/"}},
	"Timestamp":       {"a field of AWS's records and metrics", []string{"deploy/local/", "shared/consumer/metrics.go"}},
	"userId":          {"a field of the notices of badges", []string{"consumers/badges/internal/"}},
	"weight":          {"of a shard, and of a field in a query", []string{"deploy/local/mapping/", "consumers/search/query/"}},
	"Zone":            {"a method of package time", []string{"shared/timestamp/"}},
}

// allowed reports whether the engine has the name for itself in a file.
func allowed(name, path string) bool {
	word, known := engineWords[name]
	return known && (word.in == nil || slices.ContainsFunc(word.in, func(begin string) bool { return strings.HasPrefix(path, begin) }))
}

// engineFiles are what the engine is made of: its code, and the templates by which others are made.
func engineFiles(t *testing.T) map[string]string {
	t.Helper()
	section := regexp.MustCompile(`(?ms)^ *# sluice:.*?^ *# sluice:end\n`)
	files := map[string]string{}
	for _, root := range []string{"shared", "cli", "cmd", "consumers", "deploy"} {
		if err := filepath.WalkDir(filepath.Join("..", root), func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			slash := filepath.ToSlash(path)
			if entry.IsDir() {
				// What a made-up pipeline or a test needs may name anything.
				if slices.Contains([]string{"testdata", "gametest", "ruletest", "example"}, entry.Name()) {
					return fs.SkipDir
				}
				return nil
			}
			if strings.HasSuffix(slash, "_test.go") || slash == "../deploy/game.yaml" || slash == "../deploy/pets.yaml" || !slices.Contains([]string{".go", ".tmpl", ".yaml"}, filepath.Ext(slash)) {
				return nil
			}
			text, err := os.ReadFile(path)
			files[strings.TrimPrefix(slash, "../")] = section.ReplaceAllStringFunc(string(text), func(s string) string { return strings.Repeat("\n", strings.Count(s, "\n")) })
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	if len(files) < 300 {
		t.Fatalf("only %d files are looked at", len(files))
	}
	return files
}

// pipelineNames are the names of the game and the pet tracker: their tables, settings, attributes, indexes, views, badges and players.
// They are those of package gametest, which is the shipped pipeline as the engine's tests have it. So a team that declares another
// pipeline in this checkout breaks no test of the engine.
func pipelineNames(t *testing.T) []string {
	t.Helper()
	names := map[string]bool{}
	add := func(found ...string) {
		for _, name := range found {
			names[name] = true
		}
	}
	d, err := gametest.Pipeline.Defaults()
	if err != nil {
		t.Fatal(err)
	}
	for setting, value := range d.Settings {
		add(setting, declaration.Output(setting))
		if strings.HasSuffix(setting, "_TABLE") {
			add(value)
		}
	}
	add(game.Names...)
	if err := fs.WalkDir(d.Files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path == declaration.SettingsFile || strings.HasSuffix(path, "_test.yaml") {
			return err
		}
		text, err := fs.ReadFile(d.Files, path)
		if err != nil {
			return err
		}
		var file any
		if err := yaml.Unmarshal(text, &file); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		namesOf(file, "", add)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, template := range []string{"game", "pets"} {
		text, err := os.ReadFile("../shared/consumertest/gametest/deploy/" + template + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile(`(?:IndexName: |AttributeName: )(\w+)`).FindAllStringSubmatch(string(text), -1) {
			add(match[1])
		}
	}
	delete(names, "")
	return slices.Sorted(maps.Keys(names))
}

var (
	// inTemplate finds the names in a text like PET#{petId}, but not settings.
	inTemplate = regexp.MustCompile(`(?:^|[^$])\{([A-Za-z]\w*)\}`)
	// mapsByName are the keys whose maps have names as keys; keysOfNames those whose values are names.
	mapsByName  = []string{"key", "where", "sum", "count", "latest", "smallest", "largest", "rename", "properties"}
	keysOfNames = []string{"name", "index", "of", "attribute", "since", "expiresAt", "player", "at", "each", "formerly", "count", "keep", "rename", "latest", "sum"}
	placeholder = []string{"box", "shard", "bucket", "of", "level"}
	aName       = regexp.MustCompile(`^(?:\$\{PREFIX\})?([A-Za-z_][\w-]*)$`)
)

// namesOf adds the names that a declaration or a definition has, below a key.
func namesOf(node any, below string, add func(...string)) {
	switch n := node.(type) {
	case map[string]any:
		for key, value := range n {
			if slices.Contains(mapsByName, below) {
				add(key)
				if text, is := value.(string); is && slices.Contains(keysOfNames, below) {
					namesOf(text, below, add)
					continue
				}
			}
			namesOf(value, key, add)
		}
	case []any:
		for _, value := range n {
			namesOf(value, below, add)
		}
	case string:
		for _, match := range inTemplate.FindAllStringSubmatch(n, -1) {
			if !slices.Contains(placeholder, match[1]) {
				add(match[1])
			}
		}
		if match := aName.FindStringSubmatch(n); match != nil && slices.Contains(keysOfNames, below) {
			add(match[1])
		}
	}
}

// wordAt returns where a text has a whole word first, -1 if nowhere.
func wordAt(text, word string) int {
	part := func(c byte) bool {
		return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
	}
	for from := 0; ; {
		at := strings.Index(text[from:], word)
		if at < 0 {
			return -1
		}
		at += from
		from = at + len(word)
		if (at == 0 || !part(text[at-1])) && (from == len(text) || !part(text[from])) {
			return at
		}
	}
}

// Nothing of the engine names a table, setting, attribute, index, view, badge or player of the shipped pipeline.
func TestEngineNamesNothingOfThePipeline(t *testing.T) {
	names := pipelineNames(t)
	t.Logf("%d names: %s", len(names), strings.Join(names, " "))
	for _, want := range []string{"UserScoreEvents", "PetTracker", "SCORE_TABLE", "BoardShards", "UserId", "ReachedAt", "petId", "lastActivity", "IndexShardNoScore", "BoardShard", "playedAt", "rank-1", "pet-day", "pets", "first-play", "quynn"} {
		if !slices.Contains(names, want) {
			t.Errorf("%s isn't among the names", want)
		}
	}
	files := engineFiles(t)
	used := map[string]bool{}
	for _, name := range names {
		for _, path := range slices.Sorted(maps.Keys(files)) {
			at := wordAt(files[path], name)
			if at < 0 {
				continue
			}
			if used[name] = true; !allowed(name, path) {
				t.Errorf("%s:%d names %s, which is a name of the shipped pipeline", path, 1+strings.Count(files[path][:at], "\n"), name)
			}
		}
	}
	for word := range engineWords {
		if !used[word] {
			t.Errorf("engineWords has %s, which is no name of the pipeline or isn't in the engine: take it out", word)
		}
	}
}
