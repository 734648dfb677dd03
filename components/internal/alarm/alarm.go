// Package alarm creates CloudWatch alarms: those of a group and those of the environment.
package alarm

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/components/internal/tag"
)

// Alarm is a threshold on one metric, or on an expression over several. Its description is what a person who is woken
// reads first: what it means, and what to do.
type Alarm struct {
	Name, Description string

	Namespace, Metric string
	Dimensions        pulumi.StringMap
	Statistic         string // Sum, Average, Maximum, Minimum, or a percentile such as p99

	Expression string // instead of the metric: over the queries
	Queries    cloudwatch.MetricAlarmMetricQueryArray

	Above, Below *float64 // exactly one
	Period       int      // seconds
	Minutes      int      // how many periods in a row; with a period of 60 that is minutes
	Missing      string   // what no data means: notBreaching, breaching or missing
}

// Limit is a threshold.
func Limit(value float64) *float64 { return &value }

// Register creates the alarm. Without actions it only shows its state, for others to build on.
func (a Alarm) Register(
	ctx *pulumi.Context, actions pulumi.Array, parent pulumi.ResourceOption,
) (*cloudwatch.MetricAlarm, error) {
	args := &cloudwatch.MetricAlarmArgs{
		AlarmDescription:  pulumi.String(a.Description),
		EvaluationPeriods: pulumi.Int(a.Minutes),
		DatapointsToAlarm: pulumi.Int(a.Minutes),
		TreatMissingData:  pulumi.String(a.Missing),
		AlarmActions:      actions,
		OkActions:         actions,
		Tags:              tag.Named(a.Name),
	}
	if a.Above != nil {
		args.ComparisonOperator, args.Threshold = pulumi.String("GreaterThanThreshold"), pulumi.Float64(*a.Above)
	} else {
		args.ComparisonOperator, args.Threshold = pulumi.String("LessThanThreshold"), pulumi.Float64(*a.Below)
	}
	if a.Expression != "" {
		args.MetricQueries = append(a.Queries, &cloudwatch.MetricAlarmMetricQueryArgs{
			Id: pulumi.String("judged"), Expression: pulumi.String(a.Expression),
			Label: pulumi.String(a.Name), ReturnData: pulumi.Bool(true),
		})
	} else {
		args.Namespace, args.MetricName, args.Dimensions = pulumi.String(a.Namespace), pulumi.String(a.Metric), a.Dimensions
		args.Period = pulumi.Int(a.Period)
		switch a.Statistic {
		case "Sum", "Average", "Maximum", "Minimum":
			args.Statistic = pulumi.String(a.Statistic)
		default:
			args.ExtendedStatistic = pulumi.String(a.Statistic)
			// The 99th of a handful of requests is the slowest of them, and says nothing.
			args.EvaluateLowSampleCountPercentiles = pulumi.String("ignore")
		}
	}
	registered, err := cloudwatch.NewMetricAlarm(ctx, a.Name, args, parent)
	if err != nil {
		return nil, fmt.Errorf("alarm %s: %w", a.Name, err)
	}
	return registered, nil
}

// SumOf is one metric's sum in every minute, for an alarm's expression.
func SumOf(id, metric string, dimensions pulumi.StringMap) *cloudwatch.MetricAlarmMetricQueryArgs {
	return Query(id, LoadBalancing, metric, dimensions, 60, "Sum")
}

// Query is one metric in every period, in seconds, for an alarm's expression.
func Query(
	id, namespace, metric string, dimensions pulumi.StringMap, period int, statistic string,
) *cloudwatch.MetricAlarmMetricQueryArgs {
	return &cloudwatch.MetricAlarmMetricQueryArgs{
		Id: pulumi.String(id), ReturnData: pulumi.Bool(false),
		Metric: &cloudwatch.MetricAlarmMetricQueryMetricArgs{
			Namespace: pulumi.String(namespace), MetricName: pulumi.String(metric), Dimensions: dimensions,
			Period: pulumi.Int(period), Stat: pulumi.String(statistic),
		},
	}
}

// Namespaces of AWS's own metrics.
const (
	LoadBalancing = "AWS/ApplicationELB"
	AutoScaling   = "AWS/AutoScaling"
)
