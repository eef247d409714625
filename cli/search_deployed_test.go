package cli

import (
	"testing"

	"sluice/cli/verb"
	searchops "sluice/consumers/search/ops"
	"sluice/pipeline"
	"sluice/shared/operate"
)

// A stack on AWS is found by its outputs; what is missing there is named.
func TestDeployedSearch(t *testing.T) {
	deployGame(t, `{"SearchEndpoint": {"Value": "https://search.example"}, "SearchAuth": {"Value": "iam"}, "PetTable": {"Value": "Pets"}, "BoardTable": {"Value": "Board"}, "ScoreTable": {"Value": "Scores"}, "Prefix": {"Value": ""}}`)
	pairs, err := searchops.FindOperators(t.Context(), verb.PipelineFlags{Stack: "game"}, pipeline.Declared)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"Pets", "Board", "Scores"} {
		if pairs[i].Route.Source != want {
			t.Errorf("pair %d is of table %s, want %s", i, pairs[i].Route.Source, want)
		}
	}
	_, err = searchops.ReadSettings(operate.Part{Consumer: "search", Where: "stack game", Outputs: map[string]string{"SearchEndpoint": "https://search.example"}})
	if err == nil {
		t.Fatal("a stack without outputs was taken")
	}
	wantTexts(t, err.Error(), "stack game has no output SearchAuth", "consumers/search/template.yaml")
}

// The password of a stack isn't among its outputs: who works on it has to give it.
func TestSearchPassword(t *testing.T) {
	outputs := map[string]string{"SearchEndpoint": "https://search.example", "SearchAuth": "basic", "PetTable": "Pets", "BoardTable": "Board", "ScoreTable": "Scores"}
	part := operate.Part{Consumer: "search", Where: "stack game", Outputs: outputs}
	_, err := searchops.ReadSettings(part)
	if err == nil {
		t.Fatal("no password is needed")
	}
	wantTexts(t, err.Error(), "SEARCH_USER and SEARCH_PASSWORD must be set")
	t.Setenv("SEARCH_USER", "ann")
	t.Setenv("SEARCH_PASSWORD", "secret")
	s, err := searchops.ReadSettings(part)
	if err != nil || s.Auth != "basic" || s.User != "ann" || s.Password != "secret" {
		t.Errorf("settings %+v, %v", s, err)
	}
}
