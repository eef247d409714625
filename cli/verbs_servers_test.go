package cli

import (
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sluice/deploy/local/servers/servertest"
	"sluice/deploy/local/stack"
)

// serverVerbs are the verbs that ask each server, with their arguments; verbs that ask several are listed where they ask first.
// Those of OpenSearch read tables before.
func serverVerbs(file string) map[string][]string {
	return map[string][]string{
		"DynamoDB": {
			"verify all", "verify leaderboard", "verify replication", "verify badges", "verify search", "rebuild leaderboard", "reindex players", "backfill replication", "backfill search", "backfill badges",
			"top", "rank ann", "player ann", "history ann", "badges explain ann nine", "play --for 1s --rate 10", "load " + file,
		},
		"OpenSearch": {"search plays", "verify search", "backfill search", "reindex players"},
		"ministack":  {"redrive leaderboard --list", "redrive leaderboard --yes"},
	}
}

// outputsAt are what the templates' outputs say, as far as verbs read them.
func outputsAt(openSearch, queue string) map[string]map[string]string {
	tables := map[string]string{
		"ScoreTable": "Scores", "BoardTable": "Board", "BoxTable": "Boxes", "RankTable": "Ranks", "PetTable": "Pets", "LedgerTable": "Ledger", "AchievementTable": "Achievements", "StateTable": "States",
		"BoardShards": "4", "SubtractExpired": "true", "SubtractExpiredPlays": "false", "Horizon": "384h", "TopicArn": "arn:aws:sns:us-east-1:000000000000:notices", "NoticeLanguage": "en",
		"Prefix": "", "TombstoneTable": "Tombstones", "ReplicaTable": "Copies", "ReplicaRegion": "eu-west-1", "RemoveExpired": "false",
		"SearchEndpoint": openSearch, "SearchAuth": "none", "DeadLetterQueue": queue,
	}
	all := map[string]map[string]string{}
	for _, consumer := range []string{"leaderboard", "replication", "search", "badges"} {
		all[consumer] = maps.Clone(tables)
	}
	return all
}

// With any one server frozen or dead, each verb that asks it ends soon, with exit code 1 and words that name the server by its
// address. Fails if a client waits as long as it likes, or an error doesn't say who gave no answer.
func TestVerbsWithoutEachServer(t *testing.T) {
	file := filepath.Join(t.TempDir(), "access.csv")
	if err := os.WriteFile(file, []byte(logRow10("1", "1", "M")), 0o600); err != nil {
		t.Fatal(err)
	}
	asked := serverVerbs(file)
	var all []string
	for _, verbs := range asked {
		all = append(all, verbs...)
	}
	for verb, flags := range leaves(t) {
		onStack := slices.Contains(flags, "run-dir") && verbKinds[verb] != "serves" && verb != "status" // which has tests of its own
		if onStack && !slices.ContainsFunc(all, func(arguments string) bool { return strings.HasPrefix(arguments+" ", verb+" ") }) {
			t.Errorf("verb %q works on a local stack, and this test doesn't run it: add it to serverVerbs", verb)
		}
	}
	cfg := servertest.DynamoDB(t)
	client := dynamodb.NewFromConfig(cfg)
	for _, table := range []string{"Scores", "Board", "Pets"} {
		servertest.CreateTable(t, client, table, "UserId")
	}
	key, err := cfg.Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, how := range []string{"frozen", "dead"} {
		listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0") // its backlog accepts; nobody reads
		if err != nil {
			t.Fatal(err)
		}
		address := listener.Addr().String()
		t.Cleanup(func() { _ = listener.Close() })
		if how == "dead" {
			_ = listener.Close()
		}
		for server, verbs := range asked {
			info := stack.Info{State: stack.Ready, Region: cfg.Region, AccessKey: key.AccessKeyID, Endpoints: stack.Endpoints{DynamoDB: *cfg.BaseEndpoint}}
			if server == "DynamoDB" {
				info.Endpoints.DynamoDB = "http://" + address
			}
			info.Endpoints.AWS, info.Endpoints.OpenSearch = "http://"+address, "http://"+address
			info.Outputs = outputsAt(info.Endpoints.OpenSearch, "http://"+address+"/000000000000/letters")
			info.Functions = map[string]stack.Function{"leaderboard": {Binary: os.Args[0], ARN: "arn:aws:lambda:us-east-1:000000000000:function:leaderboard", Timeout: time.Minute, MemoryMB: 128}}
			dir := copyOf(t, info)
			for _, verb := range verbs {
				t.Run(fmt.Sprintf("%s %s, %s", server, how, strings.ReplaceAll(verb, file, "FILE")), func(t *testing.T) {
					t.Parallel()
					began := time.Now()
					out, code := run(t, dir, append(strings.Fields(verb), "--timeout", "1s")...)
					if code != 1 {
						t.Errorf("exit %d, want 1", code)
					}
					wantTexts(t, out, address)
					if how == "frozen" {
						wantTexts(t, out, "no answer for 1s (since ")
					}
					const most = 30 * time.Second // the machine may be busy; the SDKs alone would wait for minutes
					if took := time.Since(began); took > most {
						t.Errorf("it took %v", took)
					}
				})
			}
		}
	}
}
