package monitoring

import (
	"fmt"
	"strings"

	"twip/components/compute"
	"twip/components/edge"
	"twip/components/internal/alarm"
	"twip/components/internal/problem"
	"twip/components/internal/tag"
	"twip/components/store"
	"twip/components/tier"
	"twip/infra/boot"
	"twip/infra/keeper"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// MonitorArgs name what is watched.
type MonitorArgs struct {
	Region        string                      // required
	LoadBalancer  *edge.LoadBalancer          // required
	App           *tier.AppTier               // required, in a group
	Static        *tier.StaticTier            // required, in a group
	Store         *store.FileSystem           // required
	Groups        []*compute.AutoScalingGroup // required
	Refresh       *compute.InstanceRefresh    // required
	Notifications *Notifications              // required; who is told
}

// Monitor tells people what they have to know, and shows the rest on one dashboard. One alarm is one thing to do:
// several signs of the same trouble are joined, so that nobody is woken twice for it.
type Monitor struct {
	pulumi.ResourceState
	args      *MonitorArgs
	alarms    []pulumi.StringInput // ARNs, as the dashboard lists them
	namespace string               // of the metrics that are counted in logs
}

const (
	// slowSeconds is the promise: answers within a second, for 99 of 100.
	slowSeconds = 1.0
	// visitorErrorPercent of all answers being 5xx is what visitors must not see.
	visitorErrorPercent = 1.0
	// certificateDays is when a certificate that ACM should have renewed by itself needs a person: it begins 60 days
	// ahead.
	certificateDays = 30
	// ioPercent of what a file system can do is close to the point where writers wait.
	ioPercent = 80
	// takeoversPerHour is more than deployments and single failures make.
	takeoversPerHour = 5
	// fullPercent of memory or of a disk is when a person has to look, while there is still time.
	fullPercent = 90
	// attackSecondsPerHour is more than the noise that every public site hears.
	attackSecondsPerHour = 300
)

// NewMonitor creates the alarms, the dashboard and the saved queries. It refuses bad args before it registers anything.
func NewMonitor(ctx *pulumi.Context, name string, args *MonitorArgs, opts ...pulumi.ResourceOption) (*Monitor, error) {
	if err := args.validate().Err("monitor", name); err != nil {
		return nil, err
	}
	m := &Monitor{args: args, namespace: "TWIP/" + name}
	if err := ctx.RegisterComponentResource("twip:components:Watch", name, m, opts...); err != nil {
		return nil, err
	}
	for _, part := range []func(*pulumi.Context, string) error{
		m.registerVisitors, m.registerRedundancy, m.registerSingle, m.registerQueries, m.registerDashboard,
	} {
		if err := part(ctx, name); err != nil {
			return nil, fmt.Errorf("monitor %q: %w", name, err)
		}
	}
	return m, ctx.RegisterResourceOutputs(m, pulumi.Map{})
}

// registerVisitors joins what visitors notice: errors and slowness.
func (m *Monitor) registerVisitors(ctx *pulumi.Context, name string) error {
	child, site := pulumi.Parent(m), m.site()
	failing, err := alarm.Alarm{
		Name:        name + "-errors",
		Description: fmt.Sprintf("More than %g %% of all answers are 5xx.", visitorErrorPercent),
		// AWS reports a count of 5xx only where there are some, and an expression over a count that is absent has no
		// value: FILL makes it 0. RequestCount leaves out what no server was there for, so that an outage would divide
		// by nothing.
		Expression: fmt.Sprintf("IF(FILL(balancer, 0) + FILL(servers, 0) >= %d, "+
			"100 * (FILL(balancer, 0) + FILL(servers, 0)) / (FILL(balancer, 0) + FILL(requests, 0)), 0)",
			compute.ErrorFloor),
		Queries: cloudwatch.MetricAlarmMetricQueryArray{
			alarm.SumOf("balancer", "HTTPCode_ELB_5XX_Count", site),
			alarm.SumOf("servers", "HTTPCode_Target_5XX_Count", site),
			alarm.SumOf("requests", "RequestCount", site),
		},
		Above: alarm.Limit(visitorErrorPercent), Minutes: 3, Missing: "notBreaching",
	}.Register(ctx, nil, child)
	if err != nil {
		return err
	}
	slow, err := alarm.Alarm{
		Name:        name + "-slow",
		Description: fmt.Sprintf("One answer in a hundred takes longer than %g s.", slowSeconds),
		Namespace:   alarm.LoadBalancing, Metric: "TargetResponseTime", Dimensions: site, Statistic: "p99",
		Above: alarm.Limit(slowSeconds), Period: 60, Minutes: 5, Missing: "notBreaching",
	}.Register(ctx, nil, child)
	if err != nil {
		return err
	}
	return m.join(ctx, name+"-visitors",
		"Visitors see errors or wait. Look at the dashboard, then at the saved query 'errors'.", failing, slow)
}

// registerRedundancy joins what visitors do not notice yet: the next failure would be theirs.
func (m *Monitor) registerRedundancy(ctx *pulumi.Context, name string) error {
	var signs []*cloudwatch.MetricAlarm
	for _, group := range m.args.Groups {
		signs = append(signs, group.Unhealthy, group.Small)
	}
	return m.join(ctx, name+"-redundancy",
		"A server is missing or cannot answer, and has not come back by itself. Visitors are served by the others.",
		signs...)
}

// join makes one alarm of several, and the only one of them that tells anyone.
func (m *Monitor) join(ctx *pulumi.Context, name, description string, signs ...*cloudwatch.MetricAlarm) error {
	var names []any
	for _, sign := range signs {
		names = append(names, sign.Name)
		m.alarms = append(m.alarms, sign.Arn)
	}
	format := strings.Join(strings.Fields(strings.Repeat(`ALARM("%s") `, len(names))), " OR ")
	joined, err := cloudwatch.NewCompositeAlarm(ctx, name, &cloudwatch.CompositeAlarmArgs{
		AlarmName:        pulumi.String(name), // required by AWS
		AlarmDescription: pulumi.String(description),
		AlarmRule:        pulumi.Sprintf(format, names...),
		AlarmActions:     pulumi.StringArray{m.args.Notifications.UrgentARN},
		OkActions:        pulumi.StringArray{m.args.Notifications.UrgentARN},
		Tags:             tag.Named(name),
	}, pulumi.Parent(m))
	if err != nil {
		return fmt.Errorf("alarm %s: %w", name, err)
	}
	m.alarms = append(m.alarms, joined.Arn)
	return nil
}

// site is what CloudWatch knows the load balancer by.
func (m *Monitor) site() pulumi.StringMap {
	return pulumi.StringMap{"LoadBalancer": m.args.LoadBalancer.Balancer.ArnSuffix}
}

// registerSingle makes the alarms that stand for themselves. They wait until the morning, but for one.
func (m *Monitor) registerSingle(ctx *pulumi.Context, name string) error {
	// The library beside the application writes this line (infra/images/app/snapshots).
	snapshots, err := m.count(ctx, name, "SnapshotsFailed", `{ $.msg = "snapshot failed" }`)
	if err != nil {
		return err
	}
	// The guard writes at most one line a second (infra/images/app/guard).
	attacks, err := m.count(ctx, name, "AttackSeconds", `{ $.msg = "guard refused" }`)
	if err != nil {
		return err
	}
	vault := pulumi.StringMap{"BackupVaultName": m.args.Store.VaultName}
	files := pulumi.StringMap{"FileSystemId": m.args.Store.FileSystemID}
	every := m.args.Store.BackupSeconds
	alarms := []alarm.Alarm{
		{
			Name: name + "-takeovers", Namespace: keeper.MetricsNamespace, Metric: keeper.MetricTakeovers, Statistic: "Sum",
			Dimensions: m.keepers(),
			Description: fmt.Sprintf(
				"The writer has changed more than %d times in an hour. The saved query 'leaders' says why each time.",
				takeoversPerHour),
			Above: alarm.Limit(takeoversPerHour), Period: 3600, Minutes: 1, Missing: "notBreaching",
		},
		{
			Name: name + "-io", Namespace: "AWS/EFS", Metric: "PercentIOLimit", Statistic: "Maximum",
			Dimensions: files,
			Description: fmt.Sprintf(
				"The file system works at more than %d %% of what it can do: writes will soon wait.", ioPercent),
			Above: alarm.Limit(ioPercent), Period: 60, Minutes: 15, Missing: "notBreaching",
		},
		{
			Name: name + "-backups", Namespace: "AWS/Backup", Metric: "NumberOfBackupJobsFailed", Statistic: "Sum",
			Dimensions:  vault,
			Description: "A backup failed. AWS Backup's list of jobs says why; the older copies are there.",
			Above:       alarm.Limit(0), Period: 3600, Minutes: 1, Missing: "notBreaching",
		},
		{
			// A vault that gets no copy reports nothing at all, so that silence is the sign: but only in hours in which the
			// file system was used. A new environment has had none yet.
			Name: name + "-no-backup",
			Description: "No backup was completed in three intervals, though the file system was used. Look at AWS " +
				"Backup's list of jobs.",
			Expression: "IF(used >= 0, FILL(done, 0))",
			Queries: cloudwatch.MetricAlarmMetricQueryArray{
				alarm.Query("done", "AWS/Backup", "NumberOfBackupJobsCompleted", vault, every, "Sum"),
				alarm.Query("used", "AWS/EFS", "MeteredIOBytes", files, every, "Sum"),
			},
			Below: alarm.Limit(1), Minutes: 3, Missing: "notBreaching",
		},
		{
			Name: name + "-snapshots", Metric: snapshots, Namespace: m.namespace, Statistic: "Sum",
			Description: "The application's data could not be written as a snapshot: posts are kept, but those since the " +
				"last one would get a new date if a server failed. The saved query 'errors' says why.",
			Above: alarm.Limit(0), Period: 300, Minutes: 3, Missing: "notBreaching",
		},
		{
			Name: name + "-attacks", Metric: attacks, Namespace: m.namespace, Statistic: "Sum",
			Description: fmt.Sprintf("The guard has refused expressions in more than %d seconds of an hour: somebody tries "+
				"to break in, or a page of your own sends what it refuses. The saved query 'attacks' shows where.",
				attackSecondsPerHour),
			Above: alarm.Limit(attackSecondsPerHour), Period: 3600, Minutes: 1, Missing: "notBreaching",
		},
		{
			Name: name + "-rollouts", Namespace: "AWS/Lambda", Metric: "Errors", Statistic: "Sum",
			Dimensions:  pulumi.StringMap{"FunctionName": m.args.Refresh.FunctionName},
			Description: "A rollout failed and was rolled back; whoever ran it saw why.",
			Above:       alarm.Limit(0), Period: 300, Minutes: 1, Missing: "notBreaching",
		},
	}
	if certificate := m.args.LoadBalancer.Certificate; certificate != nil {
		alarms = append(alarms, certificateEnds(name+"-certificate", certificate))
	}
	alarms = append(alarms, m.ofMachines()...)
	if err = m.register(ctx, m.args.Notifications.MorningARN, alarms...); err != nil {
		return err
	}
	return m.register(ctx, m.args.Notifications.UrgentARN, alarm.Alarm{
		Name: name + "-refused", Namespace: keeper.MetricsNamespace, Metric: keeper.MetricRefused, Statistic: "Sum",
		Dimensions: m.keepers(),
		// One takeover may refuse some requests, within one of the periods or over the border of two.
		Description: "Requests were refused for 15 minutes because no server could answer them safely. The saved query " +
			"'leaders' shows what was going on.",
		Above: alarm.Limit(10), Period: 300, Minutes: 3, Missing: "notBreaching",
	})
}

// register makes alarms that tell those who listen to a topic, and shows them on the dashboard.
func (m *Monitor) register(ctx *pulumi.Context, topic pulumi.StringInput, alarms ...alarm.Alarm) error {
	for _, a := range alarms {
		registered, err := a.Register(ctx, pulumi.Array{topic}, pulumi.Parent(m))
		if err != nil {
			return err
		}
		m.alarms = append(m.alarms, registered.Arn)
	}
	return nil
}

// keepers is what CloudWatch knows the keepers' metrics by.
func (m *Monitor) keepers() pulumi.StringMap {
	return pulumi.StringMap{keeper.ServiceDimension: pulumi.String(m.args.App.Service)}
}

// ofMachines are the alarms of each group's machines.
func (m *Monitor) ofMachines() (alarms []alarm.Alarm) {
	for _, group := range m.args.Groups {
		alarms = append(alarms, alarm.Alarm{
			// Machines with credits borrow when theirs are spent, and AWS bills what they do not pay back:
			// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/burstable-performance-instances-unlimited-mode.html
			Name: group.Title + "-credits", Namespace: "AWS/EC2", Metric: "CPUSurplusCreditBalance", Statistic: "Maximum",
			Dimensions: pulumi.StringMap{"AutoScalingGroupName": group.Name},
			Description: fmt.Sprintf("Machines of %s have worked above what their type gives for an hour, on credit: AWS "+
				"bills it. Take a larger type (twip:instanceType, twip:staticInstanceType).", group.Title),
			Above: alarm.Limit(0), Period: 300, Minutes: 12, Missing: "notBreaching",
		})
		for _, full := range []struct{ name, metric, what string }{
			{"memory", boot.MemoryMetric, "memory"}, {"disk", boot.DiskMetric, "a disk"},
		} {
			alarms = append(alarms, alarm.Alarm{
				Name: group.Title + "-" + full.name, Namespace: boot.MetricsNamespace, Metric: full.metric,
				Dimensions: pulumi.StringMap{boot.JournalDimension: group.JournalName}, Statistic: "Maximum",
				Description: fmt.Sprintf("A machine of %s has had %s more than %d %% full for 15 minutes. The saved query "+
					"'machines' shows which one, and its journal what it did.", group.Title, full.what, fullPercent),
				Above: alarm.Limit(fullPercent), Period: 300, Minutes: 3, Missing: "notBreaching",
			})
		}
	}
	return alarms
}

// count makes a metric of the log lines of the app servers that match, and returns its name.
func (m *Monitor) count(ctx *pulumi.Context, name, metric, pattern string) (string, error) {
	if _, err := cloudwatch.NewLogMetricFilter(ctx, name+"-"+strings.ToLower(metric), &cloudwatch.LogMetricFilterArgs{
		LogGroupName: m.args.App.LogGroupName,
		Pattern:      pulumi.String(pattern),
		MetricTransformation: &cloudwatch.LogMetricFilterMetricTransformationArgs{
			Namespace: pulumi.String(m.namespace), Name: pulumi.String(metric),
			Value: pulumi.String("1"), DefaultValue: pulumi.String("0"),
		},
	}, pulumi.Parent(m)); err != nil {
		return "", fmt.Errorf("metric %s: %w", metric, err)
	}
	return metric, nil
}

func (a *MonitorArgs) validate() (p problem.List) {
	p.Unless(a.Region != "", "region", a.Region, "name the region, such as eu-central-1")
	p.Unless(a.LoadBalancer != nil, "loadBalancer", nil, "give it the LoadBalancer of the EdgeProxy")
	p.Unless(a.App != nil && a.App.TargetGroup != nil, "app", nil, "give it an AppTier with a Group")
	p.Unless(a.Static != nil && a.Static.TargetGroup != nil, "static", nil, "give it a StaticTier with a Network")
	p.Unless(a.Store != nil, "store", nil, "give it the FileSystem of the SharedStore")
	p.Unless(len(a.Groups) > 0, "groups", nil, "give it the autoscaling groups")
	p.Unless(a.Refresh != nil, "refresh", nil, "give it the environment's InstanceRefresh")
	p.Unless(a.Notifications != nil, "notifications", nil, "give it the Notifications that tell people")
	return p
}
