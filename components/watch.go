package components

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// WatchArgs name what is watched.
type WatchArgs struct {
	Region   string       // required
	Edge     *EdgeProxy   // required; placed InGroup
	App      *AppTier     // required
	Static   *StaticTier  // required
	Store    *SharedStore // required; placed InGroup
	Groups   []*Group     // required
	Rollouts *Rollouts    // required
	Alerts   *Alerts      // required; who is told
}

// Watch tells people what they have to know, and shows the rest on one dashboard. One alarm is one thing to do: several
// signs of the same trouble are joined, so that nobody is woken twice for it.
type Watch struct {
	pulumi.ResourceState
	args      *WatchArgs
	actions   pulumi.Array
	alarms    []pulumi.StringInput // ARNs, as the dashboard lists them
	namespace string               // of the metrics that are counted in logs
}

const (
	// slowSeconds is the promise: answers within a second, for 99 of 100.
	slowSeconds = 1.0
	// visitorErrorPercent of all answers being 5xx is what visitors must not see.
	visitorErrorPercent = 1.0
	// certificateDays is when a certificate that ACM should have renewed by itself needs a person: it begins 60 days ahead.
	certificateDays = 30
	// ioPercent of what a file system can do is close to the point where writers wait.
	ioPercent = 80
	// takeoversPerHour is more than deployments and single failures make.
	takeoversPerHour = 5
)

// NewWatch refuses bad args before it registers anything.
func NewWatch(ctx *pulumi.Context, name string, args *WatchArgs, opts ...pulumi.ResourceOption) (*Watch, error) {
	if err := args.validate().err("watch", name); err != nil {
		return nil, err
	}
	w := &Watch{args: args, actions: pulumi.Array{args.Alerts.TopicARN}, namespace: "TWIP/" + name}
	if err := ctx.RegisterComponentResource("twip:components:Watch", name, w, opts...); err != nil {
		return nil, err
	}
	for _, part := range []func(*pulumi.Context, string) error{w.registerVisitors, w.registerRedundancy, w.registerSingle, w.registerQueries, w.registerDashboard} {
		if err := part(ctx, name); err != nil {
			return nil, fmt.Errorf("watch %q: %w", name, err)
		}
	}
	return w, ctx.RegisterResourceOutputs(w, pulumi.Map{})
}

// registerVisitors joins what visitors notice: errors and slowness.
func (w *Watch) registerVisitors(ctx *pulumi.Context, name string) error {
	child, site := pulumi.Parent(w), w.args.Edge.dimensions()
	failing, err := alarm{
		name:        name + "-errors",
		description: fmt.Sprintf("More than %g %% of all answers are 5xx.", visitorErrorPercent),
		// AWS reports a count of 5xx only where there are some, and an expression over a count that is absent has no value:
		// FILL makes it 0. RequestCount leaves out what no server was there for, so that an outage would divide by nothing.
		expression: fmt.Sprintf("IF(FILL(balancer, 0) + FILL(servers, 0) >= %d, 100 * (FILL(balancer, 0) + FILL(servers, 0)) / (FILL(balancer, 0) + FILL(requests, 0)), 0)", errorFloor),
		queries: cloudwatch.MetricAlarmMetricQueryArray{
			sumOf("balancer", "HTTPCode_ELB_5XX_Count", site), sumOf("servers", "HTTPCode_Target_5XX_Count", site), sumOf("requests", "RequestCount", site),
		},
		above: limit(visitorErrorPercent), minutes: 3, missing: "notBreaching",
	}.register(ctx, nil, child)
	if err != nil {
		return err
	}
	slow, err := alarm{
		name:        name + "-slow",
		description: fmt.Sprintf("One answer in a hundred takes longer than %g s.", slowSeconds),
		namespace:   balancing, metric: "TargetResponseTime", dimensions: site, statistic: "p99",
		above: limit(slowSeconds), period: 60, minutes: 5, missing: "notBreaching",
	}.register(ctx, nil, child)
	if err != nil {
		return err
	}
	return w.join(ctx, name+"-visitors", "Visitors see errors or wait. Look at the dashboard, then at the saved query 'errors'.", failing, slow)
}

// registerRedundancy joins what visitors do not notice yet: the next failure would be theirs.
func (w *Watch) registerRedundancy(ctx *pulumi.Context, name string) error {
	var signs []*cloudwatch.MetricAlarm
	for _, group := range w.args.Groups {
		signs = append(signs, group.unhealthy, group.small)
	}
	return w.join(ctx, name+"-redundancy", "A server is missing or cannot answer, and has not come back by itself. Visitors are served by the others.", signs...)
}

// join makes one alarm of several, and the only one of them that tells anyone.
func (w *Watch) join(ctx *pulumi.Context, name, description string, signs ...*cloudwatch.MetricAlarm) error {
	var names []any
	for _, sign := range signs {
		names = append(names, sign.Name)
		w.alarms = append(w.alarms, sign.Arn)
	}
	format := strings.Join(strings.Fields(strings.Repeat(`ALARM("%s") `, len(names))), " OR ")
	joined, err := cloudwatch.NewCompositeAlarm(ctx, name, &cloudwatch.CompositeAlarmArgs{
		AlarmName:        pulumi.String(name), // required by AWS
		AlarmDescription: pulumi.String(description),
		AlarmRule:        pulumi.Sprintf(format, names...),
		AlarmActions:     w.actionNames(),
		OkActions:        w.actionNames(),
		Tags:             named(name),
	}, pulumi.Parent(w))
	if err != nil {
		return fmt.Errorf("alarm %s: %w", name, err)
	}
	w.alarms = append(w.alarms, joined.Arn)
	return nil
}

func (w *Watch) actionNames() pulumi.StringArray { return pulumi.StringArray{w.args.Alerts.TopicARN} }

// registerSingle makes the alarms that stand for themselves.
func (w *Watch) registerSingle(ctx *pulumi.Context, name string) error {
	takeovers, err := w.count(ctx, name, "Takeovers", `{ $.msg = "leading" }`)
	if err != nil {
		return err
	}
	refused, err := w.count(ctx, name, "Refused", `{ $.msg = "refused" }`)
	if err != nil {
		return err
	}
	alarms := []alarm{
		{
			name: name + "-takeovers", metric: takeovers, namespace: w.namespace, statistic: "Sum",
			description: fmt.Sprintf("The writer has changed more than %d times in an hour. The saved query 'leaders' says why each time.", takeoversPerHour),
			above:       limit(takeoversPerHour), period: 3600, minutes: 1, missing: "notBreaching",
		},
		{
			name: name + "-refused", metric: refused, namespace: w.namespace, statistic: "Sum",
			description: "Requests were refused because no server could answer them safely. The saved query 'leaders' shows what was going on.",
			above:       limit(10), period: 300, minutes: 1, missing: "notBreaching",
		},
		{
			name: name + "-io", namespace: "AWS/EFS", metric: "PercentIOLimit", statistic: "Maximum",
			dimensions:  pulumi.StringMap{"FileSystemId": w.args.Store.FileSystemID},
			description: fmt.Sprintf("The file system works at more than %d %% of what it can do: writes will soon wait.", ioPercent),
			above:       limit(ioPercent), period: 60, minutes: 15, missing: "notBreaching",
		},
		{
			name: name + "-backups", namespace: "AWS/Backup", metric: "NumberOfBackupJobsFailed", statistic: "Sum",
			dimensions:  pulumi.StringMap{"BackupVaultName": w.args.Store.files.vaultName},
			description: "A backup failed. AWS Backup's list of jobs says why; the older copies are there.",
			above:       limit(0), period: 3600, minutes: 1, missing: "notBreaching",
		},
		{
			name: name + "-rollouts", namespace: "AWS/Lambda", metric: "Errors", statistic: "Sum",
			dimensions:  pulumi.StringMap{"FunctionName": w.args.Rollouts.function.Name},
			description: "A rollout failed and was rolled back; whoever ran it saw why.",
			above:       limit(0), period: 300, minutes: 1, missing: "notBreaching",
		},
	}
	if certificate := w.args.Edge.balancer.certificate; certificate != nil {
		alarms = append(alarms, alarm{
			name: name + "-certificate", namespace: "AWS/CertificateManager", metric: "DaysToExpiry", statistic: "Minimum",
			dimensions:  pulumi.StringMap{"CertificateArn": certificate},
			description: fmt.Sprintf("The certificate ends in less than %d days, and ACM has not renewed it: are its DNS records still there?", certificateDays),
			below:       limit(certificateDays), period: 86400, minutes: 1, missing: "missing",
		})
	}
	for _, a := range alarms {
		registered, err := a.register(ctx, w.actions, pulumi.Parent(w))
		if err != nil {
			return err
		}
		w.alarms = append(w.alarms, registered.Arn)
	}
	return nil
}

// count makes a metric of the log lines of the app servers that match, and returns its name.
func (w *Watch) count(ctx *pulumi.Context, name, metric, pattern string) (string, error) {
	if _, err := cloudwatch.NewLogMetricFilter(ctx, name+"-"+strings.ToLower(metric), &cloudwatch.LogMetricFilterArgs{
		LogGroupName: w.args.App.LogGroupName,
		Pattern:      pulumi.String(pattern),
		MetricTransformation: &cloudwatch.LogMetricFilterMetricTransformationArgs{
			Namespace: pulumi.String(w.namespace), Name: pulumi.String(metric), Value: pulumi.String("1"), DefaultValue: pulumi.String("0"),
		},
	}, pulumi.Parent(w)); err != nil {
		return "", fmt.Errorf("metric %s: %w", metric, err)
	}
	return metric, nil
}

func (a *WatchArgs) validate() (p problems) {
	p.unless(a.Region != "", "region", a.Region, "name the region, such as eu-central-1")
	p.unless(a.Edge != nil && a.Edge.balancer != nil, "edge", nil, "give it the EdgeProxy placed InGroup")
	p.unless(a.App != nil && a.Static != nil, "tiers", nil, "give it both tiers")
	p.unless(a.Store != nil && a.Store.files != nil, "store", nil, "give it the SharedStore placed InGroup")
	p.unless(len(a.Groups) > 0, "groups", nil, "give it the groups")
	p.unless(a.Rollouts != nil, "rollouts", nil, "give it the environment's Rollouts")
	p.unless(a.Alerts != nil, "alerts", nil, "give it the Alerts that tell people")
	return p
}
