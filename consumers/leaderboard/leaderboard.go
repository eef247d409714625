package leaderboard

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sluice/shared/keeper"
)

// The names of the tables' attributes and of the boards' indexes.
const (
	AttrUser       = "UserId"
	AttrTimestamp  = "Timestamp" // sort key of the score table
	AttrScore      = "Score"
	AttrReachedAt  = "ReachedAt" // µs
	AttrShard      = "ShardNo"
	AttrBoard      = "Board" // sort key of the table of boxed boards
	AttrBoardShard = "BoardShard"
	AttrBucket     = "Bucket"               // sort key of the table of ranks, after AttrBoard
	AttrPlayers    = "Players"              // how many are in a bucket
	IndexName      = "IndexShardNoScore"    // ShardNo, then Score
	BoxIndexName   = "IndexBoardShardScore" // BoardShard, then Score
)

// New returns the consumer, which keeps the shipped views and writes through
// client. It makes no call. The error names every setting that is wrong.
func New(client *dynamodb.Client, s Settings) (*keeper.Keeper, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	views, err := s.Views()
	if err != nil {
		return nil, err
	}
	return keeper.New(client, views, s.LedgerTable, s.Horizon), nil
}
