package components

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const (
	// unhealthyMinutes is how long a server may fail its check before anyone is told, or a rollout is rolled back. A boot
	// has to fit in, since a new server fails its check until it is up.
	unhealthyMinutes = bootSeconds / 60
	// errorPercent of a tier's answers being 5xx is too many, and errorFloor of them in a minute too few to judge by.
	errorPercent, errorFloor = 5.0, 5
)

// registerAlarms makes the alarms that a rollout is rolled back by. They wake nobody: Watch decides who is told of what.
func (g *Group) registerAlarms(ctx *pulumi.Context, name string, args *GroupArgs) error {
	behind := pulumi.StringMap{"TargetGroup": args.Pool.targets.ArnSuffix, "LoadBalancer": args.Edge.balancer.lb.ArnSuffix}
	var err error
	g.unhealthy, err = alarm{
		name:        name + "-unhealthy",
		description: fmt.Sprintf("A server of %s fails the load balancer's check for %d minutes. Visitors go to the others. Look at the server's log stream.", name, unhealthyMinutes),
		namespace:   balancing, metric: "UnHealthyHostCount", dimensions: behind, statistic: "Maximum",
		above: limit(0), period: 60, minutes: unhealthyMinutes, missing: "notBreaching",
	}.register(ctx, nil, pulumi.Parent(g))
	if err != nil {
		return err
	}
	g.errors, err = alarm{
		name:        name + "-errors",
		description: fmt.Sprintf("More than %g %% of the answers of %s are 5xx. The saved query 'errors' shows them.", errorPercent, name),
		expression:  fmt.Sprintf("IF(errors >= %d, 100 * errors / requests, 0)", errorFloor),
		queries: cloudwatch.MetricAlarmMetricQueryArray{
			sumOf("errors", "HTTPCode_Target_5XX_Count", behind), sumOf("requests", "RequestCount", behind),
		},
		above: limit(errorPercent), minutes: 2, missing: "notBreaching",
	}.register(ctx, nil, pulumi.Parent(g))
	return err
}

// registerSizeAlarm watches what AWS does with the group.
func (g *Group) registerSizeAlarm(ctx *pulumi.Context, name string) (err error) {
	g.small, err = alarm{
		name:        name + "-small",
		description: fmt.Sprintf("%s has fewer machines than its minimum of %d. The group's activity history says why none can be started.", name, g.size.Min),
		namespace:   scaling, metric: "GroupInServiceInstances", dimensions: pulumi.StringMap{"AutoScalingGroupName": g.Name}, statistic: "Minimum",
		below: limit(float64(g.size.Min)), period: 60, minutes: 2 * unhealthyMinutes, missing: "breaching",
	}.register(ctx, nil, pulumi.Parent(g))
	return err
}
