package leaderboard

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sluice/shared/keeper"
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
