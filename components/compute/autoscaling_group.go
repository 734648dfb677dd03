package compute

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/autoscaling"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/components/edge"
	"twip/components/internal/logs"
	"twip/components/internal/problem"
	"twip/components/network"
	"twip/components/store"
	"twip/components/tier"
	"twip/infra/boot"
	"twip/infra/guardrails"
)

// AutoScalingGroupArgs describe the machines that one tier's servers run on.
type AutoScalingGroupArgs struct {
	Machine

	Network      *network.Private   // required; machines stand in its private subnets
	Tier         *tier.Tier         // required, in a group; what every machine runs
	Store        *store.FileSystem  // mounted by every machine; nil: the servers keep no data
	LoadBalancer *edge.LoadBalancer // required; reaches the servers before they are waited for
	Refresh      *InstanceRefresh   // required; brings new versions to the machines
	Size         Size               // required
	Load         Load               // required; the group grows and shrinks towards it
	Sessions     *boot.Sessions     // nil: nobody gets into a machine
	Cached       []string           // paths that a CDN keeps answers of, and forgets after a rollout; nil: none
	Tags         map[string]string  // of machines and their volumes, which a provider's default tags do not reach
}

// Size bounds how many machines a group has.
type Size struct {
	Min int `json:"min"` // 2 or more: one machine's failure must not be seen
	Max int `json:"max"`
}

// Load is how much a server is to have on average. Exactly one of the two is set.
type Load struct {
	CPUPercent        float64 // where all servers work alike
	RequestsPerMinute float64 // from the load balancer, where one server does the work of all
}

// AutoScalingGroup keeps a number of equal machines running, spread over the zones. A machine boots from one cloud-init
// document and is never touched again; a changed document is a new version of the launch template, which
// InstanceRefresh brings to the group.
type AutoScalingGroup struct {
	pulumi.ResourceState
	Name  pulumi.StringOutput
	Title string // for people

	// JournalName is the log group that says how machines came up, and what became of them.
	JournalName pulumi.StringOutput

	// Unhealthy, Errors and Small are the group's alarms. They tell nobody; the first two roll a refresh back.
	Unhealthy, Errors, Small *cloudwatch.MetricAlarm

	size Size
}

const (
	// bootSeconds is how long a new machine may take before a failing health check counts against it: booting,
	// installing Docker from Debian's archive, pulling the image and starting the JVM, with a good margin.
	bootSeconds = 300
	// settleSeconds is how long a new machine's load is left out of scaling decisions.
	settleSeconds = 180
	// lifetimeSeconds is the oldest that a machine gets: what replaces it installs the packages of its day. (Its kernel is
	// that of the machine image, twip:machineImage.)
	lifetimeSeconds = 30 * 24 * 3600
	// groupRootGiB holds Debian, Docker and the image.
	groupRootGiB = 10
)

// NewAutoScalingGroup creates the group with its launch template, role, scaling policy and alarms. It refuses bad args
// before it registers anything.
func NewAutoScalingGroup(
	ctx *pulumi.Context, name string, args *AutoScalingGroupArgs, opts ...pulumi.ResourceOption,
) (*AutoScalingGroup, error) {
	if err := args.validate().Err("autoscaling group", name); err != nil {
		return nil, err
	}
	g := &AutoScalingGroup{Title: name, size: args.Size}
	if err := ctx.RegisterComponentResource("twip:components:Group", name, g, opts...); err != nil {
		return nil, err
	}
	if err := g.register(ctx, name, args); err != nil {
		return nil, fmt.Errorf("autoscaling group %q: %w", name, err)
	}
	return g, ctx.RegisterResourceOutputs(g, pulumi.Map{"name": g.Name})
}

func (g *AutoScalingGroup) register(ctx *pulumi.Context, name string, args *AutoScalingGroupArgs) error {
	child := pulumi.Parent(g)
	if err := g.registerAlarms(ctx, name, args); err != nil {
		return err
	}
	journal, err := logs.NewGroup(ctx, name, args.LogRetentionDays, child)
	if err != nil {
		return err
	}
	g.JournalName = journal.Name
	role, err := newRole(ctx, name, args.Tier.Workload.Containers, journal, child)
	if err != nil {
		return err
	}
	if args.Sessions != nil {
		if err = allowSessions(ctx, name, role, child); err != nil {
			return err
		}
	}
	template, err := args.template(ctx, name, role, journal, child)
	if err != nil {
		return err
	}
	group, err := autoscaling.NewGroup(ctx, name, &autoscaling.GroupArgs{
		MinSize:              pulumi.Int(args.Size.Min),
		MaxSize:              pulumi.Int(args.Size.Max),
		VpcZoneIdentifiers:   network.IDs(args.Network.Private),
		MixedInstancesPolicy: args.mixedInstances(template),
		// Fewer machines for less load are the newest: the leader has mostly been there for long. Handing over is safe for
		// it, and readers wait for a moment.
		TerminationPolicies:    pulumi.ToStringArray([]string{"NewestInstance"}),
		TargetGroupArns:        pulumi.StringArray{args.Tier.TargetGroup.Group.Arn},
		HealthCheckType:        pulumi.String(args.healthCheckType()),
		HealthCheckGracePeriod: pulumi.Int(bootSeconds),
		DefaultInstanceWarmup:  pulumi.Int(settleSeconds),
		MaxInstanceLifetime:    pulumi.Int(lifetimeSeconds),
		// A machine that is replaced, for its health or to even out the zones, goes after its successor has come.
		InstanceMaintenancePolicy: &autoscaling.GroupInstanceMaintenancePolicyArgs{
			MinHealthyPercentage: pulumi.Int(100), MaxHealthyPercentage: pulumi.Int(200),
		},
		// The first `up` is done when this many servers answer through the load balancer, and fails if they do not.
		MinElbCapacity:         pulumi.Int(args.Size.Min),
		WaitForCapacityTimeout: pulumi.String("15m"),
		EnabledMetrics:         pulumi.ToStringArray(groupMetrics),
		Tags:                   args.groupTags(name),
	}, child, pulumi.DependsOn(args.ready(role)), pulumi.IgnoreChanges([]string{templatePath}),
		guardrails.ExceptWhen(ctx, !args.Tier.TargetGroup.HealthCheck.Replaces, "AutoScaling.1",
			"an outage of the store must not make the group throw its servers away"))
	if err != nil {
		return fmt.Errorf("autoscaling group: %w", err)
	}
	g.Name = group.Name
	if err = g.registerSizeAlarm(ctx, name); err != nil {
		return err
	}
	if _, err = autoscaling.NewPolicy(ctx, name, &autoscaling.PolicyArgs{
		AutoscalingGroupName:        group.Name,
		PolicyType:                  pulumi.String("TargetTrackingScaling"),
		TargetTrackingConfiguration: args.tracking(),
	}, child); err != nil {
		return fmt.Errorf("scaling policy: %w", err)
	}
	launch, err := registerLaunchHook(ctx, name, group, role, child)
	if err != nil {
		return err
	}
	return args.Refresh.invoke(ctx, name, refresh{
		launch: launch, log: args.Tier.LogGroupName, logARN: args.Tier.Workload.Containers[0].LogGroup.Arn,
		group: group, template: template, machine: role, targets: args.Tier.TargetGroup.Group.Arn,
		alarms: pulumi.StringArray{g.Unhealthy.Name, g.Errors.Name},
		cache:  args.LoadBalancer.Distribution, paths: args.Cached,
	}, child)
}

// templatePath is where the group names its template and the version. Only a new group takes both from the program;
// InstanceRefresh brings others there, also to another template: one that is made again counts versions from 1.
const templatePath = "mixedInstancesPolicy.launchTemplate.launchTemplateSpecification"

// mixedInstances lets the group start machines of another type when a zone has none left of the first, which is what
// happens on the day when another zone is lost.
func (a *AutoScalingGroupArgs) mixedInstances(
	template *ec2.LaunchTemplate,
) *autoscaling.GroupMixedInstancesPolicyArgs {
	types := autoscaling.GroupMixedInstancesPolicyLaunchTemplateOverrideArray{}
	for _, name := range boot.Alike(a.InstanceType) {
		types = append(types,
			&autoscaling.GroupMixedInstancesPolicyLaunchTemplateOverrideArgs{InstanceType: pulumi.String(name)})
	}
	return &autoscaling.GroupMixedInstancesPolicyArgs{
		InstancesDistribution: &autoscaling.GroupMixedInstancesPolicyInstancesDistributionArgs{
			OnDemandAllocationStrategy:          pulumi.String("prioritized"),
			OnDemandPercentageAboveBaseCapacity: pulumi.Int(100), // AWS may take spot machines away at any time
		},
		LaunchTemplate: &autoscaling.GroupMixedInstancesPolicyLaunchTemplateArgs{
			LaunchTemplateSpecification: &autoscaling.GroupMixedInstancesPolicyLaunchTemplateLaunchTemplateSpecificationArgs{
				LaunchTemplateId: template.ID(), Version: pulumi.Sprintf("%d", template.LatestVersion),
			},
			Overrides: types,
		},
	}
}

// groupMetrics are those that alarms and the dashboard use; AWS does not charge for them.
var groupMetrics = []string{
	"GroupDesiredCapacity",
	"GroupInServiceInstances",
	"GroupMaxSize",
	"GroupMinSize",
	"GroupPendingInstances",
	"GroupTerminatingInstances",
}

// tracking is how the group follows its load.
func (a *AutoScalingGroupArgs) tracking() *autoscaling.PolicyTargetTrackingConfigurationArgs {
	if a.Load.RequestsPerMinute == 0 {
		return &autoscaling.PolicyTargetTrackingConfigurationArgs{
			TargetValue: pulumi.Float64(a.Load.CPUPercent),
			PredefinedMetricSpecification: &autoscaling.PolicyTargetTrackingConfigurationPredefinedMetricSpecificationArgs{
				PredefinedMetricType: pulumi.String("ASGAverageCPUUtilization"),
			},
		}
	}
	return &autoscaling.PolicyTargetTrackingConfigurationArgs{
		TargetValue: pulumi.Float64(a.Load.RequestsPerMinute),
		PredefinedMetricSpecification: &autoscaling.PolicyTargetTrackingConfigurationPredefinedMetricSpecificationArgs{
			PredefinedMetricType: pulumi.String("ALBRequestCountPerTarget"),
			ResourceLabel: pulumi.Sprintf("%s/%s", a.LoadBalancer.Balancer.ArnSuffix,
				a.Tier.TargetGroup.Group.ArnSuffix),
		},
	}
}

// ready is what a machine needs at boot, and what makes its server reachable. Images and log groups are there too: the
// user data names them.
func (a *AutoScalingGroupArgs) ready(role *role) []pulumi.Resource {
	ready := append([]pulumi.Resource{role.policy}, a.Network.Ready...)
	ready = append(append(ready, a.Tier.TargetGroup.Ready...), a.LoadBalancer.Ready...)
	if a.Store != nil {
		ready = append(ready, a.Store.Mounts...)
	}
	return ready
}

// healthCheckType says who tells the group that a server is to be replaced. EC2 watches the machine; ELB asks what the
// load balancer's check says as well. See the HealthCheck of its tier for which tier has which, and why.
func (a *AutoScalingGroupArgs) healthCheckType() string {
	if a.Tier.TargetGroup.HealthCheck.Replaces {
		return "ELB"
	}
	return "EC2"
}

// document is what every machine of the group boots from, but for what the deployment adds. The host name is left to
// EC2: in a group it has to tell machines apart.
func (a *AutoScalingGroupArgs) document() boot.Machine {
	check := a.Tier.TargetGroup.HealthCheck
	return boot.Machine{Region: a.Region, Sessions: a.Sessions, GivesUp: true,
		Launch: &boot.Launch{Hook: launchHook, URL: fmt.Sprintf("http://127.0.0.1:%d%s", check.Port, check.Path)}}
}

// mountFileSystem is the store as machines of a group mount it.
func mountFileSystem(dnsName string) *boot.Store {
	return &boot.Store{EFS: &boot.EFS{DNSName: dnsName}}
}

func (a *AutoScalingGroupArgs) validate() (p problem.List) {
	p.Unless(a.Network != nil, "network", nil, "give it the private network to stand in")
	p.Unless(a.LoadBalancer != nil, "loadBalancer", nil, "give it the LoadBalancer of the EdgeProxy")
	p.Unless(a.Refresh != nil, "refresh", nil, "give it the environment's InstanceRefresh")
	p.Unless(a.Size.Min >= 2, "size: min", a.Size.Min, "use 2 or more: one machine's failure must not be seen")
	p.Unless(a.Size.Max >= a.Size.Min, "size: max", a.Size.Max, "use at least the minimum")
	p.Unless((a.Load.CPUPercent == 0) != (a.Load.RequestsPerMinute == 0), "load", a.Load, "set exactly one of the two")
	p.Unless(a.Load.CPUPercent >= 0 && a.Load.CPUPercent <= 90, "load: cpuPercent", a.Load.CPUPercent,
		"use more than 0, at most 90")
	p.Unless(a.Load.RequestsPerMinute >= 0, "load: requestsPerMinute", a.Load.RequestsPerMinute, "use more than 0")
	if a.Tier == nil || a.Tier.TargetGroup == nil {
		p.Unless(false, "tier", nil, "give it a tier that is placed in a group")
		return p
	}
	document := a.document()
	if a.Store != nil {
		document.Store = mountFileSystem("fs-00000000000000000.efs.us-gov-west-1.amazonaws.com")
	}
	return append(p, a.Machine.validate(document, a.Tier.Workload.Containers)...)
}
