package components

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// connection is traffic between members of two security groups, or of one: a TCP port that the one side may call and the
// other side answers on.
type connection struct {
	name     string // for people and resource names; unique below the parent
	from, to *ec2.SecurityGroup
	port     int
}

// register makes the two rules, one for each side.
func (c connection) register(ctx *pulumi.Context, parent pulumi.ResourceOption) ([]pulumi.Resource, error) {
	out, err := vpc.NewSecurityGroupEgressRule(ctx, c.name+"-out", &vpc.SecurityGroupEgressRuleArgs{
		SecurityGroupId:           c.from.ID(),
		ReferencedSecurityGroupId: c.to.ID(),
		Description:               pulumi.String(c.name),
		IpProtocol:                pulumi.String("tcp"),
		FromPort:                  pulumi.Int(c.port),
		ToPort:                    pulumi.Int(c.port),
		Tags:                      named(c.name),
	}, parent)
	if err != nil {
		return nil, fmt.Errorf("connection %s: way out: %w", c.name, err)
	}
	in, err := vpc.NewSecurityGroupIngressRule(ctx, c.name+"-in", &vpc.SecurityGroupIngressRuleArgs{
		SecurityGroupId:           c.to.ID(),
		ReferencedSecurityGroupId: c.from.ID(),
		Description:               pulumi.String(c.name),
		IpProtocol:                pulumi.String("tcp"),
		FromPort:                  pulumi.Int(c.port),
		ToPort:                    pulumi.Int(c.port),
		Tags:                      named(c.name),
	}, parent)
	if err != nil {
		return nil, fmt.Errorf("connection %s: way in: %w", c.name, err)
	}
	return []pulumi.Resource{out, in}, nil
}
