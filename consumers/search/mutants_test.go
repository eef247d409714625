package search_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"sluice/consumers/search/internal/searchtest"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumer"
	"sluice/shared/consumertest/simulator"
	"sluice/shared/consumertest/simulator/mutant"
)

// TestEveryGuardIsNeeded takes the guards out, one at a time; each time the
// simulator must find the index wrong.
func TestEveryGuardIsNeeded(t *testing.T) {
	env := []string{servertest.OpenSearchVariable + "=" + *servertest.OpenSearch(t).BaseEndpoint} // one for all
	mutant.Run(t, mutant.Test{
		Name: "TestSimulatorFewItems|TestEveryOrder",
		Args: []string{"-simulator.schedules=300", "-simulator.seed=1"},
		Env:  env,
	}, []mutant.Mutant{
		{
			Name: "a document has its change's version",
			File: "internal/index/bulk.go",
			Old:  `dst = append(dst, ` + "`" + `,"version_type":"external"}}` + "`" + `+"\n"...)`,
			New:  `dst = append(dst[:bytes.LastIndex(dst, []byte(` + "`" + `,"version"` + "`" + `))], "}}\n"...)`,
		},
		{
			Name: "a conflict is the end of a change",
			File: "internal/index/bulk.go",
			Old:  `return o.versionConflict(refused.Cause.Reason)`,
			New:  `return consumer.Reject(refused)`,
		},
		{
			Name: "of an item's changes in a batch the newest is written",
			File: "search.go",
			Old:  `i.Sort(cmp.Compare)`,
			New:  `i.Sort(func(a, b int64) int { return cmp.Compare(b, a) })`,
		},
		{
			Name: "an item that ceases to match is removed",
			File: "../../shared/declaration/effect.go",
			Old:  `AllHoldIn(conditions, c.Keys, c.Old):`,
			New:  `!c.New.Exists() && AllHoldIn(conditions, c.Keys, c.Old):`,
		},
	})
	mutant.Run(t, mutant.Test{Name: "TestLife|TestBlockedIndex", Says: "want", Env: env}, []mutant.Mutant{
		{
			Name: "what is older than the horizon is refused",
			File: "search.go",
			Old:  `age > s.horizon {`,
			New:  `age > 2*s.horizon {`,
		},
		{
			Name: "what comes before a change that has to come again has to, too",
			File: "../../shared/consumer/item.go",
			Old:  `case outcome == Retry:`,
			New:  `case outcome == Skip:`,
		},
		{
			Name: "only what is wrong with a document is its own fault",
			File: "internal/index/bulk.go",
			Old:  `refusal(a.Status) && a.Index != alias`,
			New:  `a.Status/100 == 4`,
		},
	})
	mutant.Run(t, mutant.Test{Name: "TestRedIndex|TestIndexComesBack", Says: "want", Env: env}, []mutant.Mutant{
		{
			Name: "a red index is not waited for until the function's time is over",
			File: "internal/index/bulk.go",
			Old:  `, Timeout: c.Await`,
			New:  ``,
		},
		{
			Name: "what can't be taken at the moment is written again",
			File: "internal/index/bulk.go",
			Old:  `return !o.isDelayed()`,
			New:  `return true`,
		},
	})
}

// TestPlainDeleteIsCaught deletes documents as most handlers do, with the change's
// version even, in the place of tombstones: an older change brings them back.
func TestPlainDeleteIsCaught(t *testing.T) {
	s := searchtest.Suite(servertest.OpenSearch)
	s.Workload.Groups, s.Workload.Burst = 1, 0
	s.Schedules, s.Seed = 200, 1 // schedules that show it are rare: of some seeds not one of so many does
	s.New = func(cfg aws.Config) (consumer.Consumer, error) {
		cfg.HTTPClient = plainDeletes{cfg.HTTPClient}
		return searchtest.New(cfg, time.Now)
	}
	failure, n := simulator.Find(t, s, simulator.Resurrected)
	if failure == nil {
		t.Fatalf("%d schedules find nothing wrong with plain deletes", n)
	}
}

// plainDeletes makes deletes of tombstones.
type plainDeletes struct{ aws.HTTPClient }

func (d plainDeletes) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var changed bytes.Buffer
	lines := strings.SplitAfter(string(body), "\n")
	for i := 0; i+1 < len(lines); i += 2 {
		if strings.HasSuffix(lines[i+1], `"deleted":true}}`+"\n") {
			fmt.Fprint(&changed, strings.Replace(lines[i], "index", "delete", 1))
			continue
		}
		fmt.Fprint(&changed, lines[i], lines[i+1])
	}
	r.Body, r.ContentLength = io.NopCloser(&changed), int64(changed.Len())
	response, err := d.HTTPClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	answer = bytes.ReplaceAll(answer, []byte(`{"delete":{`), []byte(`{"index":{`))
	answer = bytes.ReplaceAll(answer, []byte(`"status":404}`), []byte(`"status":200}`)) // not of what has an error
	response.Body = io.NopCloser(bytes.NewReader(answer))
	return response, nil
}
