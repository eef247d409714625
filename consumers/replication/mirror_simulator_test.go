package replication

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"sluice/consumers/replication/internal/store"
	"sluice/consumers/replication/mark"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/simulator"
)

// TestSimulatorTwoRegions has applications write to two regions at once, with
// everything that the streams and the network may do; both must end up the same.
func TestSimulatorTwoRegions(t *testing.T) {
	s := regions("us-east-1", "eu-west-1")
	s.Schedules = 80
	simulator.RunRegions(t, s)
}

// TestSimulatorThreeRegions is TestSimulatorTwoRegions with one more.
func TestSimulatorThreeRegions(t *testing.T) {
	s := regions("us-east-1", "eu-west-1", "ap-south-1")
	s.Schedules = 60
	simulator.RunRegions(t, s)
}

// TestSimulatorOneWriter has applications write to one region only. Fails if any
// version is taken for lost.
func TestSimulatorOneWriter(t *testing.T) {
	s := regions("us-east-1", "eu-west-1")
	s.Writers = 1
	s.Judge = func(ctx context.Context, o *simulator.Outcome) ([]simulator.Problem, error) {
		logged, err := readConflicts(ctx, o)
		var problems []simulator.Problem
		for n := range logged {
			problems = append(problems, simulator.Problem{Kind: simulator.Unexpected, Text: fmt.Sprintf("write %s is in the conflict log, but nobody else has written", n)})
		}
		return problems, err
	}
	s.Schedules = 40
	simulator.RunRegions(t, s)
}

// TestSimulatorOwner has each of two items owned by another of three regions, while
// applications write both everywhere.
func TestSimulatorOwner(t *testing.T) {
	names := []string{"us-east-1", "eu-west-1", "ap-south-1"}
	owned := &Shared{Name: "shared", Table: "Shared", Regions: names, owners: []owner{{"id", "item 1", "eu-west-1"}}}
	s := regionsOf(owned)
	s.Judge = func(ctx context.Context, o *simulator.Outcome) ([]simulator.Problem, error) {
		logged, err := readConflicts(ctx, o)
		var problems []simulator.Problem
		for _, w := range o.Writes {
			if w.After == nil {
				continue
			}
			n := fmt.Sprint(w.N)
			if mine := owned.Owner(store.Item{"id": textValue(w.Key)}) == w.Region; mine == slices.Contains(logged[n], w.Region) {
				problems = append(problems, simulator.Problem{Kind: simulator.Lost, Text: fmt.Sprintf("write %s in %s, which owns the item: %v, is in the logs of %q", n, w.Region, mine, logged[n])})
			}
		}
		return problems, err
	}
	s.Schedules = 40
	simulator.RunRegions(t, s)
}

func regions(names ...string) simulator.Regions {
	return regionsOf(&Shared{Name: "shared", Table: "Shared", Regions: names})
}

func regionsOf(shared *Shared) simulator.Regions {
	return simulator.Regions{
		Name: "replication both ways", Names: shared.Regions, Table: "Shared",
		Key: func(n int) consumertest.Item {
			return consumertest.Item{"id": consumertest.S(fmt.Sprint("item ", n))}
		},
		Attributes: func(t *rapid.T) consumertest.Item {
			return consumertest.Item{"text": consumertest.S(simulator.Names().Draw(t, "text"))}
		},
		Own:      []string{mark.Attribute},
		Database: servertest.DynamoDB,
		Setup: func(ctx context.Context, cfg aws.Config) error {
			return simulator.Recreate(ctx, cfg,
				tableOf("Shared", "id", "S"), tableOf(DefaultTombstoneTable, store.TombstoneKey, "B"),
				tableOf(DefaultConflictTable, store.ConflictKey, "B", store.ConflictMark, "B"))
		},
		New: func(cfg aws.Config) (consumer.Consumer, error) {
			name := fnv.New64()
			name.Write([]byte(cfg.AppID))
			random := rand.New(rand.NewPCG(name.Sum64(), 0))
			return newMirror(cfg, DefaultSettings(), shared, time.Now, random.Uint64), nil
		},
		Judge: judgeConflicts,
	}
}

// judgeConflicts checks that every version that lost is in the conflict log of its
// own region, whole.
func judgeConflicts(ctx context.Context, o *simulator.Outcome) ([]simulator.Problem, error) {
	logged, err := readConflicts(ctx, o)
	if err != nil {
		return nil, err
	}
	var problems []simulator.Problem
	for _, w := range o.Lost() {
		if in := logged[fmt.Sprint(w.N)]; !slices.Contains(in, w.Region) && !o.Followed(w) {
			problems = append(problems, simulator.Problem{Kind: simulator.Lost, Text: fmt.Sprintf("write %d in %s lost, but is in the conflict logs of %q", w.N, w.Region, in)})
		}
	}
	return problems, nil
}

// readConflicts returns in which regions' logs a write's version is, by the write's number.
func readConflicts(ctx context.Context, o *simulator.Outcome) (map[string][]string, error) {
	logged := map[string][]string{}
	for _, cfg := range o.Configs {
		out, err := dynamodb.NewFromConfig(cfg).Scan(ctx, &dynamodb.ScanInput{TableName: aws.String(DefaultConflictTable), ConsistentRead: aws.Bool(true)})
		if err != nil {
			return nil, err
		}
		for _, row := range out.Items {
			n := row[store.ConflictVersion+simulator.WriteAttribute].(*types.AttributeValueMemberN).Value
			logged[n] = append(logged[n], cfg.Region)
		}
	}
	return logged, nil
}
