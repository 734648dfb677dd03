package components

import (
	"encoding/base64"
	"fmt"
	"maps"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/autoscaling"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/components/guardrails"
	"twip/infra/boot"
)

// GroupArgs describe the machines that one tier's servers run on.
type GroupArgs struct {
	Region       string            // required; where the log groups are
	Network      *ZonedNetwork     // required; machines stand in its private subnets
	InstanceType string            // required; a key of InstanceTypes
	MachineImage string            // required; exact name of a Debian machine image, the same in every region
	Workload     Workload          // required; what every machine runs
	Pool         *Pool             // required; the servers' place behind the load balancer
	Edge         *EdgeProxy        // required; reaches the servers before they are waited for
	Rollouts     *Rollouts         // required; brings new versions to the machines
	Size         Size              // required
	CPUPercent   float64           // required; the group grows and shrinks towards this average
	Sessions     *boot.Sessions    // nil: nobody gets into a machine
	Tags         map[string]string // of machines and their volumes, which a provider's default tags do not reach
}

// Size bounds how many machines a group has.
type Size struct {
	Min int `json:"min"` // 2 or more: one machine's failure must not be seen
	Max int `json:"max"`
}

// Group keeps a number of equal machines running, spread over the zones. A machine boots from one cloud-init document and
// is never touched again; a changed document is a new version of the launch template, which Rollouts brings to the group.
type Group struct {
	pulumi.ResourceState
	Name  pulumi.StringOutput
	title string // for people
	size  Size

	unhealthy, errors, small *cloudwatch.MetricAlarm
}

const (
	// bootSeconds is how long a new machine may take before a failing health check counts against it: booting,
	// installing Docker from Debian's archive, pulling the image and starting the JVM, with a good margin.
	bootSeconds = 300
	// settleSeconds is how long a new machine's load is left out of scaling decisions.
	settleSeconds = 180
	// groupRootGiB holds Debian, Docker and the image. Nothing on it is kept.
	groupRootGiB = 10
)

// NewGroup refuses bad args before it registers anything.
func NewGroup(ctx *pulumi.Context, name string, args *GroupArgs, opts ...pulumi.ResourceOption) (*Group, error) {
	if err := args.validate().err("group", name); err != nil {
		return nil, err
	}
	g := &Group{title: name, size: args.Size}
	if err := ctx.RegisterComponentResource("twip:components:Group", name, g, opts...); err != nil {
		return nil, err
	}
	if err := g.register(ctx, name, args); err != nil {
		return nil, fmt.Errorf("group %q: %w", name, err)
	}
	return g, ctx.RegisterResourceOutputs(g, pulumi.Map{"name": g.Name})
}

func (g *Group) register(ctx *pulumi.Context, name string, args *GroupArgs) error {
	child := pulumi.Parent(g)
	if err := g.registerAlarms(ctx, name, args); err != nil {
		return err
	}
	may, err := newRole(ctx, name, args.Workload.Containers, child)
	if err != nil {
		return err
	}
	if args.Sessions != nil {
		if err = allowSessions(ctx, name, may, child); err != nil {
			return err
		}
	}
	template, err := args.template(ctx, name, may, child)
	if err != nil {
		return err
	}
	group, err := autoscaling.NewGroup(ctx, name, &autoscaling.GroupArgs{
		MinSize:            pulumi.Int(args.Size.Min),
		MaxSize:            pulumi.Int(args.Size.Max),
		VpcZoneIdentifiers: args.subnets(),
		LaunchTemplate: &autoscaling.GroupLaunchTemplateArgs{
			Id: template.ID(), Version: pulumi.Sprintf("%d", template.LatestVersion),
		},
		TargetGroupArns:        pulumi.StringArray{args.Pool.targets.Arn},
		HealthCheckType:        pulumi.String(args.healthCheckType()),
		HealthCheckGracePeriod: pulumi.Int(bootSeconds),
		DefaultInstanceWarmup:  pulumi.Int(settleSeconds),
		// A machine that is replaced, for its health or to even out the zones, goes after its successor has come.
		InstanceMaintenancePolicy: &autoscaling.GroupInstanceMaintenancePolicyArgs{
			MinHealthyPercentage: pulumi.Int(100), MaxHealthyPercentage: pulumi.Int(200),
		},
		// The first `up` is done when this many servers answer through the load balancer, and fails if they do not.
		MinElbCapacity:         pulumi.Int(args.Size.Min),
		WaitForCapacityTimeout: pulumi.String("15m"),
		EnabledMetrics:         pulumi.ToStringArray(groupMetrics),
		Tags:                   args.groupTags(name),
	}, child, pulumi.DependsOn(args.ready(may)), pulumi.IgnoreChanges([]string{"launchTemplate.version"}),
		guardrails.ExceptWhen(ctx, !args.Pool.check.replaces, "AutoScaling.1", "an outage of the store must not make the group throw its servers away"))
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
	return args.Rollouts.invoke(ctx, name, rollout{
		group: group, template: template, machine: may, targets: args.Pool.targets.Arn, alarms: pulumi.StringArray{g.unhealthy.Name, g.errors.Name},
	}, child)
}

// groupMetrics are those that alarms and the dashboard use; AWS does not charge for them.
var groupMetrics = []string{"GroupDesiredCapacity", "GroupInServiceInstances", "GroupMaxSize", "GroupMinSize", "GroupPendingInstances", "GroupTerminatingInstances"}

// template is what every machine of the group is like.
func (a *GroupArgs) template(ctx *pulumi.Context, name string, may *role, child pulumi.ResourceOrInvokeOption) (*ec2.LaunchTemplate, error) {
	image := ec2.LookupAmiOutput(ctx, ec2.LookupAmiOutputArgs{
		Owners:  pulumi.StringArray{pulumi.String(debianOwner)},
		Filters: ec2.GetAmiFilterArray{ec2.GetAmiFilterArgs{Name: pulumi.String("name"), Values: pulumi.StringArray{pulumi.String(a.MachineImage)}}},
	}, child)
	tags := ec2.LaunchTemplateTagSpecificationArray{}
	for _, kind := range []string{"instance", "network-interface", "volume"} {
		tags = append(tags, &ec2.LaunchTemplateTagSpecificationArgs{ResourceType: pulumi.String(kind), Tags: a.machineTags(name)})
	}
	template, err := ec2.NewLaunchTemplate(ctx, name, &ec2.LaunchTemplateArgs{
		ImageId:            image.Id(),
		InstanceType:       pulumi.String(a.InstanceType),
		IamInstanceProfile: &ec2.LaunchTemplateIamInstanceProfileArgs{Arn: may.profile.Arn},
		UserData:           a.userData(),
		NetworkInterfaces: ec2.LaunchTemplateNetworkInterfaceArray{&ec2.LaunchTemplateNetworkInterfaceArgs{
			AssociatePublicIpAddress: pulumi.String("false"),
			DeleteOnTermination:      pulumi.String("true"),
			SecurityGroups:           pulumi.StringArray{a.Pool.wall.group.ID()},
		}},
		// Containers are one hop further away than the limit lets an answer travel: the machine's role is not theirs.
		MetadataOptions: &ec2.LaunchTemplateMetadataOptionsArgs{
			HttpEndpoint:            pulumi.String("enabled"),
			HttpTokens:              pulumi.String("required"),
			HttpPutResponseHopLimit: pulumi.Int(1),
		},
		BlockDeviceMappings: ec2.LaunchTemplateBlockDeviceMappingArray{&ec2.LaunchTemplateBlockDeviceMappingArgs{
			DeviceName: pulumi.String("/dev/xvda"), // the root of Debian's machine images
			Ebs: &ec2.LaunchTemplateBlockDeviceMappingEbsArgs{
				VolumeType:          pulumi.String("gp3"),
				VolumeSize:          pulumi.Int(groupRootGiB),
				Encrypted:           pulumi.String("true"),
				DeleteOnTermination: pulumi.String("true"),
			},
		}},
		// A machine that powers itself off is gone, and the group starts another.
		InstanceInitiatedShutdownBehavior: pulumi.String("terminate"),
		Monitoring:                        &ec2.LaunchTemplateMonitoringArgs{Enabled: pulumi.Bool(true)}, // every minute: scaling should not be late
		TagSpecifications:                 tags,
		Tags:                              named(name),
	}, child)
	if err != nil {
		return nil, fmt.Errorf("launch template: %w", err)
	}
	return template, nil
}

// ready is what a machine needs at boot, and what makes its server reachable. Images and log groups are there too: the
// user data names them.
func (a *GroupArgs) ready(may *role) []pulumi.Resource {
	ready := append([]pulumi.Resource{may.policy}, a.Network.ready...)
	ready = append(append(ready, a.Pool.ready...), a.Edge.balancer.ready...)
	if a.Pool.store != nil {
		ready = append(ready, a.Pool.store.files.mounts...)
	}
	return ready
}

// healthCheckType says who tells the group that a server is to be replaced. EC2 watches the machine; ELB asks what the
// load balancer's check says as well. See Pool for which tier has which, and why.
func (a *GroupArgs) healthCheckType() string {
	if a.Pool.check.replaces {
		return "ELB"
	}
	return "EC2"
}

func (a *GroupArgs) subnets() (ids pulumi.StringArray) {
	for _, subnet := range a.Network.Private {
		ids = append(ids, subnet.ID)
	}
	return ids
}

func (a *GroupArgs) machineTags(name string) pulumi.StringMap {
	tags := pulumi.StringMap{}
	for key, value := range a.Tags {
		tags[key] = pulumi.String(value)
	}
	maps.Copy(tags, named(name))
	return tags
}

// groupTags are on the group; machines get theirs from the launch template, which also tags volumes.
func (a *GroupArgs) groupTags(name string) (tags autoscaling.GroupTagArray) {
	all := a.machineTags(name)
	for _, key := range sortedKeys(all) {
		tags = append(tags, &autoscaling.GroupTagArgs{Key: pulumi.String(key), Value: all[key], PropagateAtLaunch: pulumi.Bool(false)})
	}
	return tags
}

// userData waits for what only a deployment knows and renders the document. An error of rendering reaches the launch
// template, which is then not made.
func (a *GroupArgs) userData() pulumi.StringOutput {
	unknown := []any{pulumi.String("").ToStringOutput()}
	if a.Pool.store != nil {
		unknown[0] = a.Pool.store.files.dnsName
	}
	for _, c := range a.Workload.Containers {
		unknown = append(unknown, c.Image.Digest, c.LogGroup.Name)
	}
	return pulumi.All(unknown...).ApplyT(func(known []any) (string, error) {
		document, err := a.machine(known[0].(string), func(i int) (image, logGroup string) {
			return known[1+2*i].(string), known[2+2*i].(string)
		}).Render()
		return base64.StdEncoding.EncodeToString(document), err
	}).(pulumi.StringOutput)
}

// machine fills in what the deployment found out; found answers for the i-th container. The host name is left to EC2: in
// a group it has to tell machines apart.
func (a *GroupArgs) machine(storeName string, found func(i int) (image, logGroup string)) boot.Machine {
	m := boot.Machine{Region: a.Region, Sessions: a.Sessions, GivesUp: true}
	if a.Pool.store != nil {
		m.Store = &boot.Store{EFS: &boot.EFS{DNSName: storeName}}
	}
	for i, c := range a.Workload.Containers {
		spec := c.Spec
		spec.Image, spec.LogGroup = found(i)
		m.Containers = append(m.Containers, spec)
	}
	return m
}

func (a *GroupArgs) validate() (p problems) {
	_, known := InstanceTypes[a.InstanceType]
	p.unless(known, "instanceType", a.InstanceType, "use one of "+strings.Join(InstanceTypeNames(), ", "))
	p.unless(a.MachineImage != "", "machineImage", a.MachineImage, "give the exact name of a machine image, such as debian-13-amd64-20251117-2299")
	p.unless(a.Network != nil, "network", nil, "give it the ZonedNetwork to stand in")
	p.unless(a.Edge != nil && a.Edge.balancer != nil, "edge", nil, "give it the EdgeProxy placed InGroup")
	p.unless(a.Rollouts != nil, "rollouts", nil, "give it the environment's Rollouts")
	p.unless(a.Size.Min >= 2, "size: min", a.Size.Min, "use 2 or more: one machine's failure must not be seen")
	p.unless(a.Size.Max >= a.Size.Min, "size: max", a.Size.Max, "use at least the minimum")
	p.unless(a.CPUPercent > 0 && a.CPUPercent <= 90, "cpuPercent", a.CPUPercent, "use more than 0, at most 90")
	if a.Pool == nil {
		p.unless(false, "pool", nil, "give it the Pool of a tier placed InGroup")
		return p
	}
	if _, err := a.machine("fs-00000000000000000.efs.us-gov-west-1.amazonaws.com", standIns).Render(); err != nil {
		p = append(p, err)
	}
	return p
}
