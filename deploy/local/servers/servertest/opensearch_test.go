package servertest_test

import (
	"net/http"
	"strings"
	"testing"

	"sluice/deploy/local/servers/servertest"
)

// Fails for an OpenSearch that makes an index for whatever is written, or whose tests get the same names.
func TestOpenSearchMakesIndexesOnRequest(t *testing.T) {
	one, other := servertest.OpenSearch(t), servertest.OpenSearch(t)
	name := func() string {
		credentials, err := one.Credentials.Retrieve(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return credentials.AccessKeyID
	}()
	if credentials, err := other.Credentials.Retrieve(t.Context()); err != nil || credentials.AccessKeyID == name {
		t.Errorf("two tests get the name %s, %v", name, err)
	}
	put := func(path, body string) int {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, *one.BaseEndpoint+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		return response.StatusCode
	}
	if status := put("/"+name+"/_doc/1", `{"a": 1}`); status != http.StatusNotFound {
		t.Errorf("a document without an index: status %d, want 404", status)
	}
	if status := put("/"+name, `{}`); status != http.StatusOK {
		t.Errorf("make an index: status %d", status)
	}
	if status := put("/"+name+"/_doc/1", `{"a": 1}`); status != http.StatusCreated {
		t.Errorf("a document: status %d", status)
	}
}
