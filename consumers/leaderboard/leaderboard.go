package leaderboard

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sluice/shared/consumer"
	"sluice/shared/declaration"
	"sluice/shared/keeper"
)

// Main is the main function of a pipeline's leaderboard, see [consumer.MainOf].
func Main(p declaration.Pipeline) {
	consumer.MainOf("leaderboard", p, DefaultSettings(), func(cfg aws.Config, d declaration.Declarations, s Settings) (consumer.Consumer, error) {
		return New(dynamodb.NewFromConfig(cfg), d, s)
	})
}

// New returns the consumer, which keeps the declared views and writes through client. It makes no call. The error names every
// setting that is wrong, or every fault of the declarations.
func New(client *dynamodb.Client, d declaration.Declarations, s Settings) (*keeper.Keeper, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	views, err := Views(d)
	if err != nil {
		return nil, err
	}
	return keeper.New(client, views, s.LedgerTable, s.Horizon), nil
}
