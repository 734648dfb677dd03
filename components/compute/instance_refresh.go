package compute

import (
	_ "embed"
	"fmt"
	"slices"

	"twip/components/internal/logs"
	"twip/components/internal/policy"
	"twip/components/internal/tag"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/autoscaling"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudfront"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// InstanceRefresh brings new versions of launch templates to groups, so that `pulumi up` is red when the servers did
// not follow.
//
// The provider's own instance refresh cannot do that. It does not wait
// (https://github.com/hashicorp/terraform-provider-aws/issues/42355), and its automatic rollback is none: it changes
// the group's template before it starts the refresh, so that the group "goes back" to the very version that failed,
// over and over (https://github.com/hashicorp/terraform-provider-aws/issues/34189). Groups that a new template version
// replaces as a whole would wait for healthy servers, but begin at the least size in the middle of the day, and an `up`
// after a failed one would take the failed group for a good one.
//
// So a group keeps the template version that AWS knows (NewAutoScalingGroup ignores changes to it), and a function of
// ours, invoked by the program whenever the version changes, starts the refresh with that version as the desired
// configuration, which is what AWS can roll back from. It waits for the end, then for all servers to be healthy behind
// the load balancer, and fails otherwise; an invocation that failed is made again by the next `up`, which starts the
// refresh again or goes on waiting for the one that runs. All new servers start before the first old one goes, so a
// rollout takes as long as one boot and one drain, whatever the group's size, and fits in the fifteen minutes that a
// function may run.
type InstanceRefresh struct {
	pulumi.ResourceState
	FunctionName pulumi.StringOutput

	function *lambda.Function
	role     *iam.Role
	last     []pulumi.Resource // the refresh that was declared last; the next one waits for it
}

// InstanceRefreshArgs describe what all groups of an environment share.
type InstanceRefreshArgs struct {
	LogRetentionDays int // required; one of LogRetentionDays
}

//go:embed rollout.py
var rolloutCode string

const (
	// rolloutSeconds is the longest that a function may run:
	// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
	rolloutSeconds = 900
	// warmupSeconds is how long new servers are watched under load before old ones go, beginning when the launch hook lets
	// them serve: the minutes that an alarm needs to notice that a new version does not do.
	warmupSeconds = 180
)

// NewInstanceRefresh creates the function, its role and its log group. It refuses bad args before it registers
// anything.
func NewInstanceRefresh(
	ctx *pulumi.Context, name string, args *InstanceRefreshArgs, opts ...pulumi.ResourceOption,
) (*InstanceRefresh, error) {
	if err := logs.CheckRetention("logRetentionDays", args.LogRetentionDays).Err("instance refresh", name); err != nil {
		return nil, err
	}
	r := &InstanceRefresh{}
	if err := ctx.RegisterComponentResource("twip:components:Rollouts", name, r, opts...); err != nil {
		return nil, err
	}
	if err := r.register(ctx, name, args); err != nil {
		return nil, fmt.Errorf("instance refresh %q: %w", name, err)
	}
	return r, ctx.RegisterResourceOutputs(r, pulumi.Map{})
}

func (r *InstanceRefresh) register(ctx *pulumi.Context, name string, args *InstanceRefreshArgs) error {
	child := pulumi.Parent(r)
	logs, err := logs.NewGroup(ctx, name, args.LogRetentionDays, child)
	if err != nil {
		return err
	}
	role, err := policy.NewServiceRole(ctx, name, "lambda.amazonaws.com", child)
	if err != nil {
		return err
	}
	allow, err := iam.NewRolePolicy(ctx, name,
		&iam.RolePolicyArgs{Role: role.ID(), Policy: policy.Rendered(policy.Document{Statement: []policy.Statement{
			{
				Sid:      "Log",
				Effect:   "Allow",
				Action:   []string{"logs:CreateLogStream", "logs:PutLogEvents"},
				Resource: []string{"{0}:*"},
			},
			// None of these can be narrowed to a resource:
			// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2autoscaling.html
			{Sid: "Look", Effect: "Allow", Action: []string{
				"autoscaling:DescribeAutoScalingGroups", "autoscaling:DescribeInstanceRefreshes",
				"autoscaling:DescribeScalingActivities",
				"elasticloadbalancing:DescribeTargetHealth",
				"cloudwatch:DescribeAlarms", // which of them can still stop a rollout
			}, Resource: []string{"*"}},
		}}, logs.Arn)}, child)
	if err != nil {
		return fmt.Errorf("role policy: %w", err)
	}
	r.function, err = lambda.NewFunction(ctx, name, &lambda.FunctionArgs{
		Description: pulumi.String(
			"Rolls out a launch template version, waits, and fails when the servers did not follow"),
		Code:          pulumi.NewAssetArchive(map[string]any{"rollout.py": pulumi.NewStringAsset(rolloutCode)}),
		Handler:       pulumi.String("rollout.handler"),
		Runtime:       pulumi.String("python3.13"),
		Architectures: pulumi.StringArray{pulumi.String("arm64")},
		Role:          role.Arn,
		Timeout:       pulumi.Int(rolloutSeconds),
		MemorySize:    pulumi.Int(128),
		LoggingConfig: &lambda.FunctionLoggingConfigArgs{LogFormat: pulumi.String("JSON"), LogGroup: logs.Name},
		Tags:          tag.Named(name),
	}, child, pulumi.DependsOn([]pulumi.Resource{allow}))
	if err != nil {
		return fmt.Errorf("function: %w", err)
	}
	r.role, r.FunctionName = role, r.function.Name
	return nil
}

// Done is what is there once the groups that were declared until now have their servers.
func (r *InstanceRefresh) Done() []pulumi.Resource { return r.last }

// refresh is one group's way to a new template version.
type refresh struct {
	group    *autoscaling.Group
	template *ec2.LaunchTemplate
	machine  *role              // the role that the group's machines take
	targets  pulumi.StringInput // ARN of the target group behind which servers have to be healthy
	alarms   pulumi.StringArray // names; each of them in alarm rolls the group back
	log      pulumi.StringInput // name of its servers' log group
	logARN   pulumi.StringInput
	launch   []pulumi.Resource // what holds new machines back until they can serve
	cache    *cloudfront.Distribution
	paths    []string // that the cache has to forget afterwards; none: it keeps nothing of the group
}

// invoke rolls out to one group. As long as the version stays, nothing is invoked.
func (r *InstanceRefresh) invoke(ctx *pulumi.Context, name string, to refresh, parent pulumi.ResourceOption) error {
	may, on := rolloutPolicy(), []pulumi.StringInput{to.group.Arn, to.template.Arn, to.machine.arn, to.logARN}
	input := pulumi.Map{
		"group":         to.group.Name,
		"template":      to.template.ID(),
		"version":       to.template.LatestVersion,
		"targetGroup":   to.targets,
		"alarms":        to.alarms,
		"logGroup":      to.log,
		"warmupSeconds": pulumi.Int(warmupSeconds),
	}
	if to.cache != nil && len(to.paths) > 0 {
		input["distribution"], input["paths"] = to.cache.ID(), pulumi.ToStringArray(to.paths)
		on = append(on, to.cache.Arn)
		may.Statement = append(may.Statement, policy.Statement{
			Sid: "Forget", Effect: "Allow", Action: []string{"cloudfront:CreateInvalidation"}, Resource: []string{"{4}"},
		})
	}
	allow, err := iam.NewRolePolicy(ctx, name+"-rollout",
		&iam.RolePolicyArgs{Role: r.role.ID(), Policy: policy.Rendered(may, on...)}, parent)
	if err != nil {
		return fmt.Errorf("rollout: role policy: %w", err)
	}
	// One group after the other, in the order in which they are declared: both at once would double all machines, which
	// new accounts have no quota for; and pages must not ask for images and stylesheets that are not there yet.
	done, err := lambda.NewInvocation(ctx, name, &lambda.InvocationArgs{
		FunctionName: r.function.Name,
		Input:        pulumi.JSONMarshal(input),
	}, parent, pulumi.DependsOn(slices.Concat(r.last, to.launch, []pulumi.Resource{allow})))
	if err != nil {
		return fmt.Errorf("rollout: %w", err)
	}
	r.last = []pulumi.Resource{done}
	return nil
}

// rolloutPolicy lets the function refresh one group. Who names a launch template there must be allowed to start what it
// describes:
// https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-launch-template-permissions.html
func rolloutPolicy() policy.Document {
	return policy.Document{Statement: []policy.Statement{
		{
			Sid:      "Refresh",
			Effect:   "Allow",
			Action:   []string{"autoscaling:StartInstanceRefresh", "autoscaling:RollbackInstanceRefresh"},
			Resource: []string{"{0}"},
		},
		{
			Sid: "Launch", Effect: "Allow", Action: []string{"ec2:RunInstances"}, Resource: []string{"*"},
			Condition: map[string]map[string]string{"ArnLike": {"ec2:LaunchTemplate": "{1}"}},
		},
		{
			Sid: "TagWhatIsLaunched", Effect: "Allow", Action: []string{"ec2:CreateTags"}, Resource: []string{"*"},
			Condition: map[string]map[string]string{"StringEquals": {"ec2:CreateAction": "RunInstances"}},
		},
		{
			Sid: "SayWhatServersSaid", Effect: "Allow", Action: []string{"logs:FilterLogEvents"},
			Resource: []string{"{3}:*"},
		},
		{
			Sid: "HandOverTheRole", Effect: "Allow", Action: []string{"iam:PassRole"}, Resource: []string{"{2}"},
			Condition: map[string]map[string]string{"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}},
		},
	}}
}
