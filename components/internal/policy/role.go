package policy

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/components/internal/tag"
)

// NewServiceRole creates a role that one AWS service, and nothing else, can take, and only on this account's behalf.
// The Sid names what takes it.
func NewServiceRole(
	ctx *pulumi.Context, name, service string, parent pulumi.ResourceOrInvokeOption,
) (*iam.Role, error) {
	self, err := aws.GetCallerIdentity(ctx, nil, parent)
	if err != nil {
		return nil, fmt.Errorf("role for %s: whose account this is: %w", service, err)
	}
	trust, err := assumedBy(service, self.AccountId).Render()
	if err != nil {
		return nil, err
	}
	role, err := iam.NewRole(ctx, name, &iam.RoleArgs{
		AssumeRolePolicy: pulumi.String(trust),
		Tags:             tag.Named(name),
	}, parent)
	if err != nil {
		return nil, fmt.Errorf("role for %s: %w", service, err)
	}
	return role, nil
}

// assumedBy lets a service, and nothing else, take a role. Another account's resource cannot make the service take it:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
// EC2 does not say for whom it takes a role, so that a condition would keep machines without credentials; it takes a
// role only through an instance profile, which is of the machine's own account.
func assumedBy(service, account string) Document {
	allow := Statement{
		Sid:    "Instances", // as roles of environments that run have it: another would be an update of each
		Effect: "Allow", Principal: map[string]string{"Service": service}, Action: []string{"sts:AssumeRole"},
	}
	if service != EC2 {
		allow.Sid, allow.Condition = "Service", onBehalfOf(account)
	}
	return Document{Statement: []Statement{allow}}
}

// EC2 is the service that takes a machine's role.
const EC2 = "ec2.amazonaws.com"
