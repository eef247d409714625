package ops

import (
	"context"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"sluice/consumers/badges"
	"sluice/consumers/badges/internal/awards"
	"sluice/consumers/badges/rule"
	"sluice/shared/change"
	"sluice/shared/operate"
)

// Auditor knows a pipeline's badges: its rules, tables and topic.
type Auditor struct {
	Book *rule.Book

	client       *dynamodb.Client
	giver, quiet *awards.Giver // quiet notifies nobody
	segments     int           // in how many parts each table is read side by side
}

// NewAuditor returns an Auditor of the rules, which reads tables in so many segments side by side. It makes no call.
func NewAuditor(client *dynamodb.Client, topic *sns.Client, s badges.Settings, book *rule.Book, segments int) *Auditor {
	giver := badges.NewGiver(client, topic, s, book)
	quiet := *giver
	quiet.Quiet = true
	return &Auditor{Book: book, client: client, giver: giver, quiet: &quiet, segments: segments}
}

// Notices returns the ids of the notices of all awards whose rules tell them, each with
// whose award it is.
func (a *Auditor) Notices(ctx context.Context) (map[string]string, error) {
	notices := map[string]string{}
	err := a.scan(ctx, a.giver.Store.Achievements, func(item operate.Item) {
		s := awards.ReadAchievement(item)
		if r := a.Book.Rule(s.Award.Badge); r != nil && !r.Quiet {
			notices[awards.NoticeID(s.Player, s.Award)] = s.Player + ": " + s.Award.Key()
		}
	})
	return notices, err
}

// scan visits the items of a table of awards or states, one at a time.
func (a *Auditor) scan(ctx context.Context, table string, visit func(operate.Item)) error {
	var mu sync.Mutex // for visit
	source := &operate.Source{Client: a.client, Table: table}
	return source.Scan(ctx, a.segments, func(_ context.Context, page operate.Page) error {
		mu.Lock()
		defer mu.Unlock()
		for _, item := range page.Items {
			visit(item)
		}
		return nil
	})
}

// eachChange visits the items of a table, each as the change that makes it, with its key for people. Visit is called from several
// goroutines.
func (a *Auditor) eachChange(ctx context.Context, table string, visit func(c *change.Change, key string) error) error {
	source, err := operate.OpenSource(ctx, a.client, table)
	if err != nil {
		return err
	}
	return source.Scan(ctx, a.segments, func(_ context.Context, page operate.Page) error {
		for _, item := range page.Items {
			c, err := change.FromItem(table, source.Keys, item, a.giver.Now())
			if err != nil {
				return fmt.Errorf("read %s: %w", table, err)
			}
			if err := visit(c, source.KeyText(item)); err != nil {
				return err
			}
		}
		return nil
	})
}

// playsOf returns a player's plays of a block in the order of their times; none if their table
// can't be asked for a player's, since it has another key.
func (a *Auditor) playsOf(ctx context.Context, block *rule.Plays, player string) ([]rule.Play, error) {
	source, err := operate.OpenSource(ctx, a.client, block.Table)
	if err != nil || source.Keys[0] != block.Player {
		return nil, err
	}
	var plays []*change.Change
	pages := dynamodb.NewQueryPaginator(a.client, &dynamodb.QueryInput{
		TableName: &source.Table, ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String("#player = :player"),
		ExpressionAttributeNames:  map[string]string{"#player": block.Player},
		ExpressionAttributeValues: map[string]types.AttributeValue{":player": text(player)},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("read the plays of %s in %s: %w", player, source.Table, err)
		}
		for _, item := range page.Items {
			c, err := change.FromItem(source.Table, source.Keys, item, a.giver.Now())
			if err != nil {
				return nil, fmt.Errorf("read the plays of %s in %s: %w", player, source.Table, err)
			}
			plays = append(plays, c)
		}
	}
	return block.InOrder(plays), nil
}
