package compute

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/components/internal/policy"
	"twip/components/internal/tag"
	"twip/components/tier"
)

// role is what a machine may do in AWS.
type role struct {
	profile *iam.InstanceProfile
	policy  *iam.RolePolicy // depend on it before launching what needs it at boot
	arn     pulumi.StringOutput
	name    pulumi.StringOutput
}

// newRole creates a role of its own for the machine that runs these containers and sends its journal there.
func newRole(
	ctx *pulumi.Context, name string, containers []tier.Container, journal *cloudwatch.LogGroup,
	parent pulumi.ResourceOrInvokeOption,
) (*role, error) {
	r, err := policy.NewServiceRole(ctx, name, policy.EC2, parent)
	if err != nil {
		return nil, err
	}
	repositories, logGroups := arns(containers)
	logGroups = append(logGroups, journal.Arn)
	known := pulumi.All(repositories.ToStringArrayOutput(), logGroups.ToStringArrayOutput())
	document := known.ApplyT(func(arns []any) (string, error) {
		return machinePolicy(arns[0].([]string), arns[1].([]string)).Render()
	}).(pulumi.StringOutput)
	allow, err := iam.NewRolePolicy(ctx, name, &iam.RolePolicyArgs{Role: r.ID(), Policy: document}, parent)
	if err != nil {
		return nil, fmt.Errorf("role policy: %w", err)
	}
	profile, err := iam.NewInstanceProfile(ctx, name, &iam.InstanceProfileArgs{Role: r.Name, Tags: tag.Named(name)},
		parent)
	if err != nil {
		return nil, fmt.Errorf("instance profile: %w", err)
	}
	return &role{profile: profile, policy: allow, arn: r.Arn, name: r.Name}, nil
}

// arns lists each repository and log group once, in the order in which containers name them.
func arns(containers []tier.Container) (repositories, logGroups pulumi.StringArray) {
	seen := map[pulumi.Resource]bool{}
	for _, c := range containers {
		if !seen[c.Image.Repository] {
			repositories = append(repositories, c.Image.Repository.Arn)
		}
		if !seen[c.LogGroup] {
			logGroups = append(logGroups, c.LogGroup.Arn)
		}
		seen[c.Image.Repository], seen[c.LogGroup] = true, true
	}
	return repositories, logGroups
}

// machinePolicy lets a machine pull from exactly these repositories and write to exactly these log groups. Logging in
// to the registry is the one action that IAM cannot narrow:
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html
func machinePolicy(repositories, logGroups []string) policy.Document {
	streams := make([]string, len(logGroups))
	for i, group := range logGroups {
		streams[i] = group + ":*"
	}
	return policy.Document{Statement: []policy.Statement{
		{Sid: "LogIn", Effect: "Allow", Action: []string{"ecr:GetAuthorizationToken"}, Resource: []string{"*"}},
		{Sid: "Pull", Effect: "Allow", Action: []string{
			"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer",
		}, Resource: repositories},
		{Sid: "Log", Effect: "Allow", Action: []string{"logs:CreateLogStream", "logs:PutLogEvents"}, Resource: streams},
	}}
}
