package deployed

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// maxQueries is how many metrics one call may ask for:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
const maxQueries = 500

// period is the shortest that metrics of AWS's services have.
const period = 60 * time.Second

// series is one statistic of one metric, a value for each minute that has any.
type series struct {
	namespace, metric, dimension, of, statistic string

	points map[time.Time]float64 // by the minute's beginning
}

func (r *reader) readMetrics(ctx context.Context) error {
	var asked []*series
	ask := func(namespace, metric, dimension, of, statistic string) *series {
		s := &series{namespace, metric, dimension, of, statistic, map[time.Time]float64{}}
		asked = append(asked, s)
		return s
	}
	var fill []func()
	streams := map[string]*series{}
	for i := range r.Consumers {
		c := &r.Consumers[i]
		lambda := func(metric, statistic string) *series {
			return ask("AWS/Lambda", metric, "FunctionName", c.Function, statistic)
		}
		invocations, failed, age := lambda("Invocations", "Sum"), lambda("Errors", "Sum"), lambda("IteratorAge", "Maximum")
		fill = append(fill, func() { r.fillLambda(c, invocations, failed, age) })
		if c.counted {
			own := func(metric, statistic string) *series { return ask("Sluice", metric, "Consumer", c.Name, statistic) }
			taken, retried := own("Taken", "Sum"), own("Retried", "Sum")
			median, longest := own("ChangeToEffect", "p50"), own("ChangeToEffect", "Maximum")
			fill = append(fill, func() { r.fillOwn(c, taken, retried, median, longest) })
		}
		for _, m := range c.Mappings {
			if streams[m.Stream] == nil {
				streams[m.Stream] = ask("AWS/Kinesis", "IncomingRecords", "StreamName", streamName(m.Stream), "Sum")
			}
		}
	}
	for queries := range slices.Chunk(asked, maxQueries) {
		if err := r.query(ctx, queries); err != nil {
			return err
		}
	}
	for _, f := range fill {
		f()
	}
	for _, c := range r.Consumers {
		r.noteSilence(c, streams)
	}
	return nil
}

// query reads the points of at most maxQueries series. The minute that isn't over yet is among them: it has the newest age.
func (r *reader) query(ctx context.Context, asked []*series) error {
	in := &cloudwatch.GetMetricDataInput{StartTime: &r.From, EndTime: aws.Time(r.To.Add(period))}
	byID := map[string]*series{}
	for i, s := range asked {
		id := fmt.Sprintf("m%d", i)
		byID[id] = s
		in.MetricDataQueries = append(in.MetricDataQueries, types.MetricDataQuery{Id: &id, MetricStat: &types.MetricStat{
			Metric: &types.Metric{
				Namespace: &s.namespace, MetricName: &s.metric, Dimensions: []types.Dimension{{Name: &s.dimension, Value: &s.of}},
			},
			Period: aws.Int32(int32(period / time.Second)), Stat: &s.statistic,
		}})
	}
	pages := cloudwatch.NewGetMetricDataPaginator(r.cloudWatch, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, result := range page.MetricDataResults {
			s := byID[aws.ToString(result.Id)]
			if s == nil || len(result.Timestamps) != len(result.Values) {
				return fmt.Errorf("CloudWatch has answered with a metric %q of %d times and %d values, which nobody asked for", aws.ToString(result.Id), len(result.Timestamps), len(result.Values))
			}
			for i, at := range result.Timestamps {
				s.points[at] = result.Values[i]
			}
		}
	}
	return nil
}

// sum is the sum over the Window: without the minute that isn't over.
func (r *reader) sum(s *series) int {
	sum := 0.0
	for at, value := range s.points {
		if at.Before(r.To) {
			sum += value
		}
	}
	return int(sum)
}

func (s *series) latest() (value float64, at time.Time, ok bool) {
	for when, v := range s.points {
		if !ok || when.After(at) {
			value, at, ok = v, when, true
		}
	}
	return value, at, ok
}

func (r *reader) fillLambda(c *Consumer, invocations, failed, age *series) {
	// Lambda has no metrics of a function that isn't invoked, so nothing is 0.
	c.Invocations, c.Failed = aws.Int(r.sum(invocations)), aws.Int(r.sum(failed))
	if behind, _, ok := age.latest(); ok {
		c.MillisBehind = aws.Int(int(behind))
	} else {
		r.note("BEHIND and LAG are known only of consumers that got changes in the last %s", minutes(Window))
	}
}

func (r *reader) fillOwn(c *Consumer, taken, retried, median, longest *series) {
	if len(taken.points) == 0 && *c.Invocations > *c.Failed {
		r.note("%s: function %s was invoked, but there are no metrics of a consumer %s: its log says whether it can't write them, and its main whether it has this name", c.Name, c.Function, c.Name)
		return
	}
	c.Done = aws.Int(r.sum(taken) - r.sum(retried))
	c.Rate = aws.Float64(float64(*c.Done) / Window.Seconds())
	if value, at, ok := median.latest(); ok {
		most, _, _ := longest.latest()
		c.Lag = &Lag{Median: value, Longest: most, At: at}
	}
}

// noteSilence says that a consumer takes nothing of a stream that has changes: what stops wholly has no metric that shows it.
func (r *reader) noteSilence(c Consumer, streams map[string]*series) {
	if *c.Invocations > 0 {
		return
	}
	for _, m := range c.Mappings {
		if n := r.sum(streams[m.Stream]); n > 0 {
			r.note("%s takes nothing, though %d changes came into stream %s in the last %s: docs/runbook.md, under Silent, says what to look at", c.Name, n, streamName(m.Stream), minutes(Window))
		}
	}
}

// streamName is the name in the ARN of a stream, or in …:stream/NAME/consumer/CONSUMER:TIME.
func streamName(arn string) string {
	_, path, _ := strings.Cut(arn, "/")
	name, _, _ := strings.Cut(path, "/")
	return name
}

func minutes(d time.Duration) string { return fmt.Sprintf("%.0f minutes", d.Minutes()) }
