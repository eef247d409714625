package game

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	smithytime "github.com/aws/smithy-go/time"
	"github.com/shopspring/decimal"

	"sluice/cli/verb"
	"sluice/consumers/leaderboard/boards"
	searchops "sluice/consumers/search/ops"
	"sluice/consumers/search/query"
	"sluice/deploy/local/stack"
	"sluice/shared/declaration"
)

// finder searches for the scores that are written, as people would, and notes how long
// each took until it was found.
type finder struct {
	*query.Searcher
	found map[string]bool // by document
	took  []time.Duration
}

func newFinder(info stack.Info, pipeline declaration.Pipeline) (*finder, error) {
	searcher, err := searchops.NewSearcher(verb.LocalPart(info, "search"), pipeline)
	return &finder{Searcher: searcher, found: map[string]bool{}}, err
}

// findEvery is how often it looks, and so by how much it may be wrong.
const findEvery = 100 * time.Millisecond

// look looks for scores that weren't found before, among those that were indexed last,
// or among all.
func (f *finder) look(ctx context.Context, all bool) error {
	r := query.Request{Index: "plays", Sort: query.ParseSort("-_sluice.indexed"), Size: query.MaxSize}
	for {
		answer, err := f.Search(ctx, r)
		if _, empty := errors.AsType[*query.EmptyIndexError](err); empty {
			return nil
		}
		if err != nil {
			return err
		}
		now, fresh := time.Now(), 0
		for _, hit := range answer.Hits {
			if f.found[hit.ID] {
				continue
			}
			var play struct{ PlayedAt string }
			if err := json.Unmarshal(hit.Source, &play); err != nil {
				return fmt.Errorf("read document %s: %w", hit.ID, err)
			}
			written, err := time.Parse("2006-01-02 15:04:05.000000", play.PlayedAt)
			if err != nil {
				return fmt.Errorf("document %s: %w", hit.ID, err)
			}
			f.found[hit.ID] = true
			f.took = append(f.took, now.Sub(written))
			fresh++
		}
		if r.After = answer.Next; r.After == "" || fresh == 0 && !all {
			return nil
		}
	}
}

// findPatience is how long searches may take to find what the stream has brought.
const findPatience = 30 * time.Second

// once tries until check finds nothing wrong, or until the patience is over: what was
// indexed is found only after the index's next refresh.
func once(ctx context.Context, check func(context.Context) (string, error)) error {
	deadline := time.Now().Add(findPatience)
	for {
		text, err := check(ctx)
		if err == nil {
			verb.SayLine("  " + text)
			return nil
		}
		if time.Now().After(deadline) {
			return err
		}
		if err := smithytime.SleepWithContext(ctx, findEvery); err != nil {
			return err
		}
	}
}

// compareSearches searches and checks each answer against the tables.
func compareSearches(ctx context.Context, f *finder, info stack.Info, t tables, scores int64) error {
	verb.SayLine("\nSearched, and checked against the tables:")
	for _, check := range []func(context.Context) (string, error){
		func(ctx context.Context) (string, error) { return f.compareAll(ctx, scores) },
		func(ctx context.Context) (string, error) { return f.comparePlayers(ctx, t.totals) },
		func(ctx context.Context) (string, error) { return f.comparePlays(ctx, info, t.scores) },
	} {
		if err := once(ctx, check); err != nil {
			return err
		}
	}
	return nil
}

// compareAll looks whether every score is found.
func (f *finder) compareAll(ctx context.Context, scores int64) (string, error) {
	if err := f.look(ctx, true); err != nil {
		return "", err
	}
	n := len(f.took)
	if int64(n) != scores {
		return "", fmt.Errorf("of %d scores that were written, searches find %d", scores, n)
	}
	if n == 0 {
		return "no score was written, and none is found.", nil
	}
	slices.Sort(f.took)
	return fmt.Sprintf("each of %d scores was found, %.1f s after it was written (median), 19 of 20 within %.1f s, the slowest after %.1f s.",
		n, f.took[n/2].Seconds(), f.took[(n-1)*19/20].Seconds(), f.took[n-1].Seconds()), nil
}

// comparePlayers searches for the players, the best first.
func (f *finder) comparePlayers(ctx context.Context, board *boards.Board) (string, error) {
	standings, err := board.All(ctx)
	if err != nil {
		return "", err
	}
	totals := map[string]decimal.Decimal{}
	for _, s := range standings {
		totals[s.Name] = s.Number
	}
	r := query.Request{Index: "players", Sort: query.ParseSort("-score"), Size: query.MaxSize}
	found := 0
	for r.After != "" || found == 0 && len(standings) > 0 {
		answer, err := f.Search(ctx, r)
		if err != nil {
			return "", err
		}
		for _, hit := range answer.Hits {
			var player struct {
				Player string
				Score  decimal.Decimal
			}
			if err := json.Unmarshal(hit.Source, &player); err != nil {
				return "", fmt.Errorf("read document %s: %w", hit.ID, err)
			}
			if total, ok := totals[player.Player]; !ok || !total.Equal(player.Score) {
				return "", fmt.Errorf("a search finds %s with %s, on the board is %s", player.Player, player.Score, total)
			}
			if want := standings[found].Number; !want.Equal(player.Score) {
				return "", fmt.Errorf("a search finds %s with %s as number %d, on the board that has %s", player.Player, player.Score, found+1, want)
			}
			delete(totals, player.Player) // found twice it would be missed
			found++
		}
		if r.After = answer.Next; len(answer.Hits) == 0 {
			break
		}
	}
	if len(totals) > 0 {
		return "", fmt.Errorf("a search doesn't find %d of %d players", len(totals), len(standings))
	}
	return fmt.Sprintf("sluice search players --sort -score finds %d players in the order of the board.", found), nil
}

// comparePlays counts high scores by player.
func (f *finder) comparePlays(ctx context.Context, info stack.Info, scores string) (string, error) {
	const high = "8"
	written, err := countScores(ctx, dynamodb.NewFromConfig(info.DynamoDB()), scores, high)
	if err != nil {
		return "", err
	}
	all := int64(0)
	for _, n := range written {
		all += n
	}
	answer, err := f.Search(ctx, query.Request{Index: "plays", Text: "score:>=" + high, Facets: []string{"player"}})
	if err != nil {
		return "", err
	}
	if answer.Total.Exact && answer.Total.Count != all {
		return "", fmt.Errorf("a search finds %d scores from %s, the table has %d", answer.Total.Count, high, all)
	}
	for _, v := range answer.Facets[0].Values {
		if written[v.Value] != v.Count {
			return "", fmt.Errorf("a search finds %d scores from %s of %s, the table has %d", v.Count, high, v.Value, written[v.Value])
		}
	}
	return fmt.Sprintf("sluice search plays 'score:>=%s' --facet player finds as many scores as the table has, %v, and as many of each of %d players.", high, answer.Total, len(answer.Facets[0].Values)), nil
}

// countScores counts the scores from least on in the table itself, by player.
func countScores(ctx context.Context, client *dynamodb.Client, table, least string) (map[string]int64, error) {
	counts := map[string]int64{}
	pages := dynamodb.NewScanPaginator(client, &dynamodb.ScanInput{
		TableName: &table, ConsistentRead: aws.Bool(true), FilterExpression: aws.String("#score >= :least"),
		ExpressionAttributeNames:  map[string]string{"#score": attrScore},
		ExpressionAttributeValues: map[string]types.AttributeValue{":least": &types.AttributeValueMemberN{Value: least}},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", table, err)
		}
		for _, item := range page.Items {
			if user, ok := item[attrUser].(*types.AttributeValueMemberS); ok {
				counts[user.Value]++
			}
		}
	}
	return counts, nil
}
