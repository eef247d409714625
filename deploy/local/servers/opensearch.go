package servers

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
)

// OpenSearch is the engine of AWS's OpenSearch Service, without security. It keeps its data in its directory, until [Server.Clear].
var OpenSearch = &Server{
	Name:          "OpenSearch",
	Version:       "2.19.1",
	PreferredPort: 9200,

	slug:         "opensearch",
	recipe:       recipe("opensearch"),
	needs:        []tool{java},
	installNeeds: []tool{maven},
	install:      installJars,
	portFile:     filepath.Join("opensearch", "logs", "http.ports"),
	data:         "opensearch",
	command: func(dir string, run launch) (command, error) {
		base := filepath.Join(run.dir, "opensearch")
		return jetty(dir, run, []string{"-Xms256m", "-Xmx512m"},
			"dir="+base, "logs="+filepath.Join(base, "logs"), "config="+filepath.Join(dir, "config"), fmt.Sprintf("before=%d", run.port-1))
	},
	// It answers before it can write: when it knows the state of its indexes, it can.
	answers: func(ctx context.Context, endpoint, _ string) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint+"/_cluster/health?wait_for_status=yellow&timeout=150s", nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		var health struct{ Status string }
		if err := json.NewDecoder(response.Body).Decode(&health); err != nil {
			return fmt.Errorf("%s: %w", response.Status, err)
		}
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("%s, health %s", response.Status, health.Status)
		}
		return nil
	},
}
