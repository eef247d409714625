package servertest

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// PutMetric puts values of a metric with one dimension into CloudWatch, each once.
func PutMetric(t testing.TB, cfg aws.Config, namespace, metric, dimension, of string, at time.Time, values ...float64) {
	t.Helper()
	// A call that is repeated counts its values twice.
	client := cloudwatch.NewFromConfig(cfg, func(o *cloudwatch.Options) { o.Retryer = aws.NopRetryer{} })
	if _, err := client.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: &namespace, MetricData: []types.MetricDatum{{
		MetricName: &metric, Dimensions: []types.Dimension{{Name: &dimension, Value: &of}}, Timestamp: &at, Values: values,
	}}}); err != nil {
		t.Fatalf("put metric %s of %s: %v", metric, of, err)
	}
}
