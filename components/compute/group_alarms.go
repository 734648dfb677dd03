package compute

import (
	"fmt"

	"twip/components/internal/alarm"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const (
	// unhealthyMinutes is how long a server may fail its check before anyone is told, or a rollout is rolled back. A
	// boot has to fit in, since a new server fails its check until it is up.
	unhealthyMinutes = bootSeconds / 60
	// errorPercent of a tier's answers being 5xx is too many.
	errorPercent = 5.0
	// ErrorFloor is how many errors in a minute are too few to judge by.
	ErrorFloor = 5
)

// registerAlarms makes the alarms that a rollout is rolled back by. They wake nobody: Watch decides who is told of
// what.
func (g *AutoScalingGroup) registerAlarms(ctx *pulumi.Context, name string, args *AutoScalingGroupArgs) error {
	behind := pulumi.StringMap{
		"TargetGroup":  args.Tier.TargetGroup.Group.ArnSuffix,
		"LoadBalancer": args.LoadBalancer.Balancer.ArnSuffix,
	}
	var err error
	g.Unhealthy, err = alarm.Alarm{
		Name: name + "-unhealthy",
		Description: fmt.Sprintf(
			"A server of %s fails the load balancer's check for %d minutes. Visitors go to the others. Look at the "+
				"server's log stream.",
			name, unhealthyMinutes),
		Namespace: alarm.LoadBalancing, Metric: "UnHealthyHostCount", Dimensions: behind, Statistic: "Maximum",
		Above: alarm.Limit(0), Period: 60, Minutes: unhealthyMinutes, Missing: "notBreaching",
	}.Register(ctx, nil, pulumi.Parent(g))
	if err != nil {
		return err
	}
	g.Errors, err = alarm.Alarm{
		Name: name + "-errors",
		Description: fmt.Sprintf("More than %g %% of the answers of %s are 5xx. The saved query 'errors' shows them.",
			errorPercent, name),
		Expression: fmt.Sprintf("IF(errors >= %d, 100 * errors / requests, 0)", ErrorFloor),
		Queries: cloudwatch.MetricAlarmMetricQueryArray{
			alarm.SumOf("errors", "HTTPCode_Target_5XX_Count", behind), alarm.SumOf("requests", "RequestCount", behind),
		},
		Above: alarm.Limit(errorPercent), Minutes: 2, Missing: "notBreaching",
	}.Register(ctx, nil, pulumi.Parent(g))
	return err
}

// registerSizeAlarm watches what AWS does with the group.
func (g *AutoScalingGroup) registerSizeAlarm(ctx *pulumi.Context, name string) (err error) {
	g.Small, err = alarm.Alarm{
		Name: name + "-small",
		Description: fmt.Sprintf(
			"%s has fewer machines than its minimum of %d. The group's activity history says why none can be started.",
			name, g.size.Min),
		Namespace: alarm.AutoScaling, Metric: "GroupInServiceInstances", Statistic: "Minimum",
		Dimensions: pulumi.StringMap{"AutoScalingGroupName": g.Name},
		// AWS reports this for every minute in which the group exists: before the first, nothing is wrong.
		Below: alarm.Limit(float64(g.size.Min)), Period: 60, Minutes: 2 * unhealthyMinutes, Missing: "missing",
	}.Register(ctx, nil, pulumi.Parent(g))
	return err
}
