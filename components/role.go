package components

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// role is what a machine may do in AWS.
type role struct {
	profile *iam.InstanceProfile
	policy  *iam.RolePolicy // depend on it before launching what needs it at boot
	arn     pulumi.StringOutput
	name    pulumi.StringOutput
}

// newRole gives the machine that runs these containers a role of its own.
func newRole(ctx *pulumi.Context, name string, containers []Container, parent pulumi.ResourceOption) (*role, error) {
	trust, err := assumedByEC2().render()
	if err != nil {
		return nil, err
	}
	r, err := iam.NewRole(ctx, name, &iam.RoleArgs{AssumeRolePolicy: pulumi.String(trust), Tags: named(name)}, parent)
	if err != nil {
		return nil, fmt.Errorf("role: %w", err)
	}
	repositories, logGroups := arns(containers)
	document := pulumi.All(repositories.ToStringArrayOutput(), logGroups.ToStringArrayOutput()).ApplyT(func(arns []any) (string, error) {
		return machinePolicy(arns[0].([]string), arns[1].([]string)).render()
	}).(pulumi.StringOutput)
	allow, err := iam.NewRolePolicy(ctx, name, &iam.RolePolicyArgs{Role: r.ID(), Policy: document}, parent)
	if err != nil {
		return nil, fmt.Errorf("role policy: %w", err)
	}
	profile, err := iam.NewInstanceProfile(ctx, name, &iam.InstanceProfileArgs{Role: r.Name, Tags: named(name)}, parent)
	if err != nil {
		return nil, fmt.Errorf("instance profile: %w", err)
	}
	return &role{profile: profile, policy: allow, arn: r.Arn, name: r.Name}, nil
}

// arns lists each repository and log group once, in the order in which containers name them.
func arns(containers []Container) (repositories, logGroups pulumi.StringArray) {
	seen := map[pulumi.Resource]bool{}
	for _, c := range containers {
		if !seen[c.Image.repository] {
			repositories = append(repositories, c.Image.repository.Arn)
		}
		if !seen[c.LogGroup] {
			logGroups = append(logGroups, c.LogGroup.Arn)
		}
		seen[c.Image.repository], seen[c.LogGroup] = true, true
	}
	return repositories, logGroups
}
