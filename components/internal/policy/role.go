package policy

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/components/internal/tag"
)

// NewServiceRole creates a role that one AWS service, and nothing else, can take. The Sid names what takes it.
func NewServiceRole(
	ctx *pulumi.Context, name, service string, options ...pulumi.ResourceOption,
) (*iam.Role, error) {
	trust, err := assumedBy(service).Render()
	if err != nil {
		return nil, err
	}
	role, err := iam.NewRole(ctx, name, &iam.RoleArgs{
		AssumeRolePolicy: pulumi.String(trust),
		Tags:             tag.Named(name),
	}, options...)
	if err != nil {
		return nil, fmt.Errorf("role for %s: %w", service, err)
	}
	return role, nil
}

// assumedBy lets a service, and nothing else, take a role.
func assumedBy(service string) Document {
	sid := "Service"
	if service == EC2 {
		sid = "Instances" // as roles of environments that run have it: another would be an update of each
	}
	return Document{Statement: []Statement{{
		Sid: sid, Effect: "Allow", Principal: map[string]string{"Service": service}, Action: []string{"sts:AssumeRole"},
	}}}
}

// EC2 is the service that takes a machine's role.
const EC2 = "ec2.amazonaws.com"
