package network

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/components/internal/tag"
)

// SecurityGroup is a security group and its rules, one resource per flow and range. Name resolution, time and instance
// metadata need no rule: EC2 does not filter traffic to its own resolver, clock and metadata service.
type SecurityGroup struct {
	Group *ec2.SecurityGroup
	Rules []pulumi.Resource // depend on these where traffic has to pass
}

// NewSecurityGroup creates the group and its rules. The group's description is fixed: AWS replaces a group whose
// description changes, and with it everything that refers to it.
func NewSecurityGroup(
	ctx *pulumi.Context, name string, vpcID pulumi.StringInput, ingress, egress []Flow, parent pulumi.ResourceOption,
) (*SecurityGroup, error) {
	group, err := ec2.NewSecurityGroup(ctx, name, &ec2.SecurityGroupArgs{
		VpcId:       vpcID,
		Description: pulumi.String("TWIP: one rule resource per flow"),
		Tags:        tag.Named(name),
	}, parent)
	if err != nil {
		return nil, fmt.Errorf("security group: %w", err)
	}
	s := &SecurityGroup{Group: group}
	for _, flow := range ingress {
		for _, cidr := range flow.CIDRs {
			r := rule{flow.Name, group, flow.Port, peerAt(cidr), name + "-" + flow.Name}
			if err = s.add(r.ingress(ctx, name+"-in-"+ruleName(flow, cidr), parent)); err != nil {
				return nil, fmt.Errorf("ingress %s from %s: %w", flow.Name, cidr, err)
			}
		}
	}
	for _, flow := range egress {
		for _, cidr := range flow.CIDRs {
			r := rule{flow.Name, group, flow.Port, peerAt(cidr), name + "-" + flow.Name}
			if err = s.add(r.egress(ctx, name+"-out-"+ruleName(flow, cidr), parent)); err != nil {
				return nil, fmt.Errorf("egress %s to %s: %w", flow.Name, cidr, err)
			}
		}
	}
	return s, nil
}

// AdmitPrefixList lets in who is on a prefix list, such as the addresses of an AWS service.
func (s *SecurityGroup) AdmitPrefixList(
	ctx *pulumi.Context, name, what string, list pulumi.StringInput, port int, parent pulumi.ResourceOption,
) error {
	r := rule{what, s.Group, port, peer{PrefixList: list}, name + "-" + what}
	if err := s.add(r.ingress(ctx, name+"-in-"+what, parent)); err != nil {
		return fmt.Errorf("ingress from the prefix list of %s: %w", what, err)
	}
	return nil
}

func (s *SecurityGroup) add(made pulumi.Resource, err error) error {
	if err == nil {
		s.Rules = append(s.Rules, made)
	}
	return err
}

// Connection is traffic between members of two security groups, or of one: a TCP port that the one side may call and
// the other side answers on.
type Connection struct {
	Name     string // for people and resource names; unique below the parent
	From, To *SecurityGroup
	Port     int
}

// Register creates the two rules, one for each side.
func (c Connection) Register(ctx *pulumi.Context, parent pulumi.ResourceOption) ([]pulumi.Resource, error) {
	out, err := rule{
		c.Name,
		c.From.Group,
		c.Port,
		peer{Group: c.To.Group.ID()},
		c.Name,
	}.egress(ctx, c.Name+"-out", parent)
	if err != nil {
		return nil, fmt.Errorf("connection %s: way out: %w", c.Name, err)
	}
	in, err := rule{
		c.Name,
		c.To.Group,
		c.Port,
		peer{Group: c.From.Group.ID()},
		c.Name,
	}.ingress(ctx, c.Name+"-in", parent)
	if err != nil {
		return nil, fmt.Errorf("connection %s: way in: %w", c.Name, err)
	}
	return []pulumi.Resource{out, in}, nil
}

// rule is one TCP port of a security group that one peer may use, or be called on.
type rule struct {
	description string
	group       *ec2.SecurityGroup
	port        int
	peer        peer
	tagName     string
}

// peer is the far side of a rule: one field is set.
type peer struct{ CIDR, CIDRv6, PrefixList, Group pulumi.StringPtrInput }

// peerAt is whoever has an address in the range.
func peerAt(cidr string) peer {
	if strings.Contains(cidr, ":") {
		return peer{CIDRv6: pulumi.String(cidr)}
	}
	return peer{CIDR: pulumi.String(cidr)}
}

func (r rule) ingress(ctx *pulumi.Context, name string, parent pulumi.ResourceOption) (pulumi.Resource, error) {
	return vpc.NewSecurityGroupIngressRule(ctx, name, &vpc.SecurityGroupIngressRuleArgs{
		SecurityGroupId: r.group.ID(), Description: pulumi.String(r.description),
		IpProtocol: pulumi.String("tcp"), FromPort: pulumi.Int(r.port), ToPort: pulumi.Int(r.port),
		CidrIpv4: r.peer.CIDR, CidrIpv6: r.peer.CIDRv6, PrefixListId: r.peer.PrefixList,
		ReferencedSecurityGroupId: r.peer.Group,
		Tags:                      tag.Named(r.tagName),
	}, parent)
}

func (r rule) egress(ctx *pulumi.Context, name string, parent pulumi.ResourceOption) (pulumi.Resource, error) {
	return vpc.NewSecurityGroupEgressRule(ctx, name, &vpc.SecurityGroupEgressRuleArgs{
		SecurityGroupId: r.group.ID(), Description: pulumi.String(r.description),
		IpProtocol: pulumi.String("tcp"), FromPort: pulumi.Int(r.port), ToPort: pulumi.Int(r.port),
		CidrIpv4: r.peer.CIDR, CidrIpv6: r.peer.CIDRv6, PrefixListId: r.peer.PrefixList,
		ReferencedSecurityGroupId: r.peer.Group,
		Tags:                      tag.Named(r.tagName),
	}, parent)
}
