package search_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"sluice/consumers/search"
	"sluice/consumers/search/internal/index"
	"sluice/consumers/search/internal/searchtest"
	"sluice/consumers/search/ops"
	"sluice/deploy/local/rights/rightstest"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/gametest"
)

// The function's role allows what these batches need, and nothing else: where requests are signed, and where they have a
// password.
func TestRights(t *testing.T) {
	for _, auth := range []index.Auth{index.IAM, index.Basic} {
		t.Run(string(auth), func(t *testing.T) {
			// The server is shared: another test, here or in another package, may have indexes of the shipped routes.
			prefix := searchtest.Lane(servertest.OpenSearch(t)) + "-"
			account, parameters := rightstest.NewAccount(t), map[string]string{"SearchAuth": string(auth), "Prefix": prefix}
			if auth == index.Basic {
				parameters["SearchSecretArn"] = makeSecret(t, account)
			}
			f := rightstest.Start(t, account, rightstest.Suite{
				Template: "template.yaml", Parameters: parameters, Pipeline: gametest.Pipeline.Files, Consumer: ops.Consumer,
			})
			keys := consumertest.Item{"UserId": consumertest.S("reed"), "Timestamp": consumertest.S("2026-01-02T03:04:05Z")}
			image := consumertest.Item{"UserId": keys["UserId"], "Timestamp": keys["Timestamp"], "Score": consumertest.N("7")}
			put := consumertest.Change{Table: gametest.ScoreTable, Time: time.Now().Add(-time.Second), Keys: keys, New: image}
			removed := consumertest.Change{Table: gametest.ScoreTable, Time: time.Now(), Keys: keys, Old: image}
			pet := consumertest.Item{"PK": consumertest.S("PET#1"), "SK": consumertest.S("PROFILE"), "entityType": consumertest.S("PET")}
			player := consumertest.Item{"UserId": consumertest.S("reed"), "Score": consumertest.N("7")}
			f.Invoke(put.Record()) // the index is made, as those of the other routes are by the next call
			f.Invoke(
				consumertest.Change{Table: gametest.PetTable, Time: time.Now(), Keys: consumertest.Item{"PK": pet["PK"], "SK": pet["SK"]}, New: pet}.Record(),
				consumertest.Change{Table: gametest.BoardTable, Time: time.Now(), Keys: consumertest.Item{"UserId": player["UserId"]}, New: player}.Record())
			f.Invoke(removed.Record())
			f.Invoke(put.Record()) // stale

			// The function that is running won't remove tombstones within the hour.
			settings := search.DefaultSettings()
			settings.Endpoint, settings.Auth, settings.SecretARN = f.Settings["SEARCH_ENDPOINT"], auth, f.Settings["SEARCH_SECRET_ARN"]
			routes, err := search.Routes(gametest.Declarations("PREFIX", prefix))
			if err != nil {
				t.Fatal(err)
			}
			client, err := index.NewClient(f.Config(), settings.Connection)
			if err != nil {
				t.Fatal(err)
			}
			now := time.Now()
			old := search.NewWith(client, routes, settings.Horizon, func() time.Time { return now })
			now = now.Add(2 * search.PurgeAfter)
			old.ApplyBatch(t.Context(), nil)
			if failed := old.Metrics()["FailedPurges"]; failed > 0 {
				t.Errorf("%d purges failed", failed)
			}
			f.Check()
		})
	}
}

// makeSecret makes a user and a password, and returns the secret's ARN.
func makeSecret(t *testing.T, account *rightstest.Account) string {
	t.Helper()
	secret, err := secretsmanager.NewFromConfig(account.AWS()).CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{
		Name: new("search"), SecretString: new(`{"username": "ann", "password": "one"}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	return *secret.ARN
}
