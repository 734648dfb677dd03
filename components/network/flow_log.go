package network

import (
	"fmt"

	"twip/components/internal/logs"
	"twip/components/internal/policy"
	"twip/components/internal/tag"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// newFlowLog records which connections the VPC saw, accepted and refused.
func newFlowLog(
	ctx *pulumi.Context, name string, vpcID pulumi.StringInput, days int, parent pulumi.ResourceOrInvokeOption,
) error {
	name += "-flows"
	group, err := logs.NewGroup(ctx, name, days, parent)
	if err != nil {
		return fmt.Errorf("flow log: %w", err)
	}
	writer, err := policy.NewServiceRole(ctx, name, "vpc-flow-logs.amazonaws.com", parent)
	if err != nil {
		return fmt.Errorf("flow log: %w", err)
	}
	// What AWS asks for, without creating groups:
	// https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html
	document := policy.Rendered(policy.Document{Statement: []policy.Statement{{
		Sid: "Write", Effect: "Allow",
		Action: []string{
			"logs:CreateLogStream",
			"logs:PutLogEvents",
			"logs:DescribeLogStreams",
			"logs:DescribeLogGroups",
		}, Resource: []string{"{0}:*"},
	}}}, group.Arn)
	allow, err := iam.NewRolePolicy(ctx, name, &iam.RolePolicyArgs{Role: writer.ID(), Policy: document}, parent)
	if err != nil {
		return fmt.Errorf("flow log: role policy: %w", err)
	}
	if _, err = ec2.NewFlowLog(ctx, name, &ec2.FlowLogArgs{
		VpcId:                  vpcID,
		TrafficType:            pulumi.String("ALL"),
		LogDestinationType:     pulumi.String("cloud-watch-logs"),
		LogDestination:         group.Arn,
		IamRoleArn:             writer.Arn,
		MaxAggregationInterval: pulumi.Int(600), // seconds; one minute costs ten times the log lines
		Tags:                   tag.Named(name),
	}, parent, pulumi.DependsOn([]pulumi.Resource{allow})); err != nil {
		return fmt.Errorf("flow log: %w", err)
	}
	return nil
}
