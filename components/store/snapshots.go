package store

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/dlm"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ebs"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/components/internal/policy"
	"twip/components/internal/tag"
)

// newSnapshots has Amazon Data Lifecycle Manager take a snapshot of a volume every night, and keep so many. The volume
// is found by its Name tag, which no other volume of the account has. A snapshot of a running machine is as if it had
// lost power: the keeper and the file system are made for that.
// https://docs.aws.amazon.com/ebs/latest/userguide/snapshot-lifecycle.html
func newSnapshots(
	ctx *pulumi.Context, name string, volume *ebs.Volume, keep int, parent pulumi.ResourceOrInvokeOption,
) error {
	role, err := policy.NewServiceRole(ctx, name+"-snapshots", "dlm.amazonaws.com", parent)
	if err != nil {
		return err
	}
	allow, err := iam.NewRolePolicy(ctx, name+"-snapshots", &iam.RolePolicyArgs{
		Role: role.ID(), Policy: policy.Rendered(snapshotPolicy(), volume.Arn),
	}, parent)
	if err != nil {
		return fmt.Errorf("role of snapshots: %w", err)
	}
	if _, err = dlm.NewLifecyclePolicy(ctx, name, &dlm.LifecyclePolicyArgs{
		Description:      pulumi.String("TWIP: nightly snapshots of what people posted"),
		ExecutionRoleArn: role.Arn,
		PolicyDetails: &dlm.LifecyclePolicyPolicyDetailsArgs{
			ResourceTypes: pulumi.ToStringArray([]string{"VOLUME"}),
			TargetTags:    tag.Named(name),
			Schedules: dlm.LifecyclePolicyPolicyDetailsScheduleArray{&dlm.LifecyclePolicyPolicyDetailsScheduleArgs{
				Name: pulumi.String("nightly"),
				CreateRule: &dlm.LifecyclePolicyPolicyDetailsScheduleCreateRuleArgs{
					Interval: pulumi.Int(24), IntervalUnit: pulumi.String("HOURS"), Times: pulumi.String("03:00"), // UTC
				},
				RetainRule: &dlm.LifecyclePolicyPolicyDetailsScheduleRetainRuleArgs{Count: pulumi.Int(keep)},
				CopyTags:   pulumi.Bool(true),
			}},
		},
		Tags: tag.Named(name),
	}, parent, pulumi.DependsOn([]pulumi.Resource{allow})); err != nil {
		return fmt.Errorf("snapshot policy: %w", err)
	}
	return nil
}

// snapshotPolicy is what AWS's own AWSDataLifecycleManagerServiceRole allows, held to one volume where IAM can do that.
func snapshotPolicy() policy.Document {
	snapshots := "arn:aws:ec2:*::snapshot/*" // their ids are not known beforehand
	return policy.Document{Statement: []policy.Statement{
		{Sid: "Take", Effect: "Allow", Action: []string{"ec2:CreateSnapshot"}, Resource: []string{"{0}", snapshots}},
		{
			Sid: "Keep", Effect: "Allow", Action: []string{"ec2:CreateTags", "ec2:DeleteSnapshot"},
			Resource: []string{snapshots},
		},
		// None of these can be narrowed:
		// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
		{Sid: "Look", Effect: "Allow", Action: []string{
			"ec2:DescribeInstances", "ec2:DescribeSnapshots", "ec2:DescribeTags", "ec2:DescribeVolumes",
		}, Resource: []string{"*"}},
	}}
}
