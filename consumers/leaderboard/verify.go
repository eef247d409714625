package leaderboard

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sluice/shared/verify"
)

// Comparison returns what compares every declared view with its source. The caller may
// change its times before it runs.
func (s Settings) Comparison(client *dynamodb.Client) (*verify.Comparison, error) {
	views, err := s.Views()
	if err != nil {
		return nil, err
	}
	return &verify.Comparison{
		Client: client, Views: views, Horizon: s.Horizon, Now: time.Now, Segments: verify.DefaultSegments,
		Margin: verify.DefaultMargin, Patience: verify.DefaultPatience, Answer: verify.DefaultAnswer,
	}, nil
}
