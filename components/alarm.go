package components

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// alarm is a threshold on one metric, or on an expression over several. Its description is what a person who is woken
// reads first: what it means, and what to do.
type alarm struct {
	name, description string

	namespace, metric string
	dimensions        pulumi.StringMap
	statistic         string // Sum, Average, Maximum, Minimum, or a percentile such as p99

	expression string // instead of the metric: over the queries
	queries    cloudwatch.MetricAlarmMetricQueryArray

	above, below *float64 // exactly one
	period       int      // seconds
	minutes      int      // how many periods in a row; with a period of 60 that is minutes
	missing      string   // what no data means: notBreaching, breaching or missing
}

func limit(value float64) *float64 { return &value }

// register makes the alarm. Without actions it only shows its state, for others to build on.
func (a alarm) register(ctx *pulumi.Context, actions pulumi.Array, parent pulumi.ResourceOption) (*cloudwatch.MetricAlarm, error) {
	args := &cloudwatch.MetricAlarmArgs{
		AlarmDescription:  pulumi.String(a.description),
		EvaluationPeriods: pulumi.Int(a.minutes),
		DatapointsToAlarm: pulumi.Int(a.minutes),
		TreatMissingData:  pulumi.String(a.missing),
		AlarmActions:      actions,
		OkActions:         actions,
		Tags:              named(a.name),
	}
	if a.above != nil {
		args.ComparisonOperator, args.Threshold = pulumi.String("GreaterThanThreshold"), pulumi.Float64(*a.above)
	} else {
		args.ComparisonOperator, args.Threshold = pulumi.String("LessThanThreshold"), pulumi.Float64(*a.below)
	}
	if a.expression != "" {
		args.MetricQueries = append(a.queries, &cloudwatch.MetricAlarmMetricQueryArgs{
			Id: pulumi.String("judged"), Expression: pulumi.String(a.expression), Label: pulumi.String(a.name), ReturnData: pulumi.Bool(true),
		})
	} else {
		args.Namespace, args.MetricName, args.Dimensions = pulumi.String(a.namespace), pulumi.String(a.metric), a.dimensions
		args.Period = pulumi.Int(a.period)
		switch a.statistic {
		case "Sum", "Average", "Maximum", "Minimum":
			args.Statistic = pulumi.String(a.statistic)
		default:
			args.ExtendedStatistic = pulumi.String(a.statistic)
		}
	}
	registered, err := cloudwatch.NewMetricAlarm(ctx, a.name, args, parent)
	if err != nil {
		return nil, fmt.Errorf("alarm %s: %w", a.name, err)
	}
	return registered, nil
}

// sumOf is one metric's sum in every minute, for an alarm's expression.
func sumOf(id, metric string, dimensions pulumi.StringMap) *cloudwatch.MetricAlarmMetricQueryArgs {
	return &cloudwatch.MetricAlarmMetricQueryArgs{
		Id: pulumi.String(id), ReturnData: pulumi.Bool(false),
		Metric: &cloudwatch.MetricAlarmMetricQueryMetricArgs{
			Namespace: pulumi.String(balancing), MetricName: pulumi.String(metric), Dimensions: dimensions,
			Period: pulumi.Int(60), Stat: pulumi.String("Sum"),
		},
	}
}

// Namespaces of AWS's own metrics.
const (
	balancing = "AWS/ApplicationELB"
	scaling   = "AWS/AutoScaling"
)
