package compute

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/autoscaling"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/components/edge"
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
	CPUPercent   float64            // required; the group grows and shrinks towards this average
	Sessions     *boot.Sessions     // nil: nobody gets into a machine
	Tags         map[string]string  // of machines and their volumes, which a provider's default tags do not reach
}

// Size bounds how many machines a group has.
type Size struct {
	Min int `json:"min"` // 2 or more: one machine's failure must not be seen
	Max int `json:"max"`
}

// AutoScalingGroup keeps a number of equal machines running, spread over the zones. A machine boots from one cloud-init
// document and is never touched again; a changed document is a new version of the launch template, which
// InstanceRefresh brings to the group.
type AutoScalingGroup struct {
	pulumi.ResourceState
	Name  pulumi.StringOutput
	Title string // for people

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
	role, err := newRole(ctx, name, args.Tier.Workload.Containers, child)
	if err != nil {
		return err
	}
	if args.Sessions != nil {
		if err = allowSessions(ctx, name, role, child); err != nil {
			return err
		}
	}
	template, err := args.template(ctx, name, role, child)
	if err != nil {
		return err
	}
	group, err := autoscaling.NewGroup(ctx, name, &autoscaling.GroupArgs{
		MinSize:            pulumi.Int(args.Size.Min),
		MaxSize:            pulumi.Int(args.Size.Max),
		VpcZoneIdentifiers: network.IDs(args.Network.Private),
		LaunchTemplate: &autoscaling.GroupLaunchTemplateArgs{
			Id: template.ID(), Version: pulumi.Sprintf("%d", template.LatestVersion),
		},
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
	}, child, pulumi.DependsOn(args.ready(role)), pulumi.IgnoreChanges([]string{"launchTemplate.version"}),
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
		AutoscalingGroupName: group.Name,
		PolicyType:           pulumi.String("TargetTrackingScaling"),
		TargetTrackingConfiguration: &autoscaling.PolicyTargetTrackingConfigurationArgs{
			TargetValue: pulumi.Float64(args.CPUPercent),
			PredefinedMetricSpecification: &autoscaling.PolicyTargetTrackingConfigurationPredefinedMetricSpecificationArgs{
				PredefinedMetricType: pulumi.String("ASGAverageCPUUtilization"),
			},
		},
	}, child); err != nil {
		return fmt.Errorf("scaling policy: %w", err)
	}
	return args.Refresh.invoke(ctx, name, refresh{
		group: group, template: template, machine: role, targets: args.Tier.TargetGroup.Group.Arn,
		alarms: pulumi.StringArray{g.Unhealthy.Name, g.Errors.Name},
	}, child)
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
	return boot.Machine{Region: a.Region, Sessions: a.Sessions, GivesUp: true}
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
	p.Unless(a.CPUPercent > 0 && a.CPUPercent <= 90, "cpuPercent", a.CPUPercent, "use more than 0, at most 90")
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
