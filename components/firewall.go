package components

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// anywhere is every IPv4 address.
const anywhere = "0.0.0.0/0"

// firewall is a security group and its rules, one resource per flow and range. Name resolution, time and instance
// metadata need no rule: EC2 does not filter traffic to its own resolver, clock and metadata service.
type firewall struct {
	group *ec2.SecurityGroup
	rules []pulumi.Resource
}

// newFirewall registers the group and its rules. The group's description is fixed: AWS replaces a group whose
// description changes, and with it everything that refers to it.
func newFirewall(ctx *pulumi.Context, name string, vpcID pulumi.StringInput, ingress, egress []Flow, parent pulumi.ResourceOption) (*firewall, error) {
	group, err := ec2.NewSecurityGroup(ctx, name, &ec2.SecurityGroupArgs{
		VpcId:       vpcID,
		Description: pulumi.String("TWIP: one rule resource per flow"),
		Tags:        named(name),
	}, parent)
	if err != nil {
		return nil, fmt.Errorf("security group: %w", err)
	}
	f := &firewall{group: group}
	for _, flow := range ingress {
		for _, cidr := range flow.CIDRs {
			rule, err := vpc.NewSecurityGroupIngressRule(ctx, name+"-in-"+ruleName(flow, cidr), &vpc.SecurityGroupIngressRuleArgs{
				SecurityGroupId: group.ID(),
				Description:     pulumi.String(flow.Name),
				IpProtocol:      pulumi.String("tcp"),
				FromPort:        pulumi.Int(flow.Port),
				ToPort:          pulumi.Int(flow.Port),
				CidrIpv4:        pulumi.String(cidr),
				Tags:            named(name + "-" + flow.Name),
			}, parent)
			if err != nil {
				return nil, fmt.Errorf("ingress %s from %s: %w", flow.Name, cidr, err)
			}
			f.rules = append(f.rules, rule)
		}
	}
	for _, flow := range egress {
		for _, cidr := range flow.CIDRs {
			rule, err := vpc.NewSecurityGroupEgressRule(ctx, name+"-out-"+ruleName(flow, cidr), &vpc.SecurityGroupEgressRuleArgs{
				SecurityGroupId: group.ID(),
				Description:     pulumi.String(flow.Name),
				IpProtocol:      pulumi.String("tcp"),
				FromPort:        pulumi.Int(flow.Port),
				ToPort:          pulumi.Int(flow.Port),
				CidrIpv4:        pulumi.String(cidr),
				Tags:            named(name + "-" + flow.Name),
			}, parent)
			if err != nil {
				return nil, fmt.Errorf("egress %s to %s: %w", flow.Name, cidr, err)
			}
			f.rules = append(f.rules, rule)
		}
	}
	return f, nil
}

// checkFlows also refuses two flows of one name, whose rules would have one name too.
func checkFlows(flows []Flow) (p problems) {
	seen := map[string]bool{}
	for _, flow := range flows {
		p = append(p, flow.validate()...)
		if seen[flow.Name] {
			p = append(p, errors.New("flow "+flow.Name+": there are two of this name: give every flow a name of its own"))
		}
		seen[flow.Name] = true
	}
	return p
}
