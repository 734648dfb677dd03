package compute

import (
	"fmt"

	"twip/components/internal/policy"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// allowSessions lets the agent on a machine open sessions for people whom IAM lets in. It is the part of
// AmazonSSMManagedInstanceCore that Session Manager needs, and none of these actions can be narrowed to a resource:
// https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-create-iam-instance-profile.html
func allowSessions(ctx *pulumi.Context, name string, machine *role, parent pulumi.ResourceOption) error {
	document, err := policy.Document{Statement: []policy.Statement{{
		Sid: "Sessions", Effect: "Allow", Resource: []string{"*"},
		Action: []string{
			"ssm:UpdateInstanceInformation",
			"ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel",
			"ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
		},
	}}}.Render()
	if err != nil {
		return err
	}
	if _, err = iam.NewRolePolicy(ctx, name+"-sessions", &iam.RolePolicyArgs{
		Role: machine.name, Policy: pulumi.String(document),
	}, parent); err != nil {
		return fmt.Errorf("role policy of sessions: %w", err)
	}
	return nil
}
