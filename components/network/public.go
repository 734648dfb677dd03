package network

import (
	"fmt"
	"net/netip"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/components/internal/problem"
	"twip/components/internal/tag"
	"twip/infra/guardrails"
)

// PublicArgs describe a VPC with a public subnet in each of its zones.
type PublicArgs struct {
	CIDR       string   // IPv4 range of the VPC, /16 to /24
	Zones      []string // full names, such as eu-central-1a, each once
	FlowLogged bool     // the caller keeps a flow log of it: see NewFlowLog
	DualStack  bool     // IPv6 as well: the VPC gets a range of Amazon's, each public subnet a part of it
}

// Public is a VPC of its own, with a way to the internet and nothing open: the default security group has no rules.
type Public struct {
	pulumi.ResourceState
	VPCID  pulumi.StringOutput
	Public []Subnet          // one per zone, in the order of the arguments
	Ready  []pulumi.Resource // the way to the internet: depend on these where it is needed
}

// NewPublic creates the VPC, its internet gateway and a public subnet per zone. It refuses bad args before it registers
// anything.
func NewPublic(ctx *pulumi.Context, name string, args *PublicArgs, opts ...pulumi.ResourceOption) (*Public, error) {
	if err := args.validate().Err("public network", name); err != nil {
		return nil, err
	}
	n := &Public{}
	if err := ctx.RegisterComponentResource("twip:components:Network", name, n, opts...); err != nil {
		return nil, err
	}
	if err := n.register(ctx, name, args); err != nil {
		return nil, fmt.Errorf("public network %q: %w", name, err)
	}
	return n, ctx.RegisterResourceOutputs(n, pulumi.Map{"vpcId": n.VPCID})
}

func (n *Public) register(ctx *pulumi.Context, name string, args *PublicArgs) error {
	child := pulumi.Parent(n)
	vpc, err := ec2.NewVpc(ctx, name, &ec2.VpcArgs{
		CidrBlock:          pulumi.String(args.CIDR),
		EnableDnsSupport:   pulumi.Bool(true),
		EnableDnsHostnames: pulumi.Bool(true),

		AssignGeneratedIpv6CidrBlock: ifSet(args.DualStack),
		Tags:                         tag.Named(name),
	}, child, guardrails.ExceptWhen(ctx, !args.FlowLogged, "EC2.6", "a training network costs nothing; its one "+
		"machine is disposable, and the edge logs every request"))
	if err != nil {
		return fmt.Errorf("VPC: %w", err)
	}
	n.VPCID = vpc.ID().ToStringOutput()

	// Adopting the group that every VPC is born with, without rules, takes away those it is born with.
	if _, err = ec2.NewDefaultSecurityGroup(ctx, name, &ec2.DefaultSecurityGroupArgs{
		VpcId: vpc.ID(), Tags: tag.Named(name + "-default-unused"),
	}, child); err != nil {
		return fmt.Errorf("default security group: %w", err)
	}
	gateway, err := ec2.NewInternetGateway(ctx, name, &ec2.InternetGatewayArgs{VpcId: vpc.ID(), Tags: tag.Named(name)},
		child)
	if err != nil {
		return fmt.Errorf("internet gateway: %w", err)
	}
	routes, err := ec2.NewRouteTable(ctx, name+"-public",
		&ec2.RouteTableArgs{VpcId: vpc.ID(), Tags: tag.Named(name + "-public")}, child)
	if err != nil {
		return fmt.Errorf("public route table: %w", err)
	}
	out, err := ec2.NewRoute(ctx, name+"-public", &ec2.RouteArgs{
		RouteTableId:         routes.ID(),
		DestinationCidrBlock: pulumi.String(Anywhere),
		GatewayId:            gateway.ID(),
	}, child)
	if err != nil {
		return fmt.Errorf("route to the internet: %w", err)
	}
	n.Ready = append(n.Ready, out)
	if args.DualStack {
		out, err = ec2.NewRoute(ctx, name+"-public-ipv6", &ec2.RouteArgs{
			RouteTableId:             routes.ID(),
			DestinationIpv6CidrBlock: pulumi.String(AnywhereIPv6),
			GatewayId:                gateway.ID(),
		}, child)
		if err != nil {
			return fmt.Errorf("IPv6 route to the internet: %w", err)
		}
		n.Ready = append(n.Ready, out)
	}
	for _, zone := range args.Zones {
		subnetName := name + "-public-" + zone
		cidr, err := subnetCIDR(args.CIDR, zone)
		if err != nil {
			return err
		}
		var ipv6 pulumi.StringPtrInput
		if args.DualStack {
			ipv6 = subnetIPv6(vpc.Ipv6CidrBlock, zone)
		}
		subnet, err := ec2.NewSubnet(ctx, subnetName, &ec2.SubnetArgs{
			VpcId:            vpc.ID(),
			AvailabilityZone: pulumi.String(zone),
			CidrBlock:        pulumi.String(cidr),
			Ipv6CidrBlock:    ipv6,
			// A public address is given to what needs one, never to whatever happens to start here.
			MapPublicIpOnLaunch: pulumi.Bool(false),
			Tags:                tag.Named(subnetName),
		}, child)
		if err != nil {
			return fmt.Errorf("public subnet in %s: %w", zone, err)
		}
		link, err := ec2.NewRouteTableAssociation(ctx, subnetName, &ec2.RouteTableAssociationArgs{
			SubnetId: subnet.ID(), RouteTableId: routes.ID(),
		}, child)
		if err != nil {
			return fmt.Errorf("routes of the public subnet in %s: %w", zone, err)
		}
		n.Ready = append(n.Ready, link)
		n.Public = append(n.Public, Subnet{ID: subnet.ID().ToStringOutput(), Zone: zone})
	}
	return nil
}

// ifSet leaves a property out rather than saying false.
func ifSet(set bool) pulumi.BoolPtrInput {
	if !set {
		return nil
	}
	return pulumi.Bool(true)
}

func (a *PublicArgs) validate() (p problem.List) {
	prefix, err := netip.ParsePrefix(a.CIDR)
	p.Unless(
		err == nil && prefix.Addr().Is4() && prefix == prefix.Masked() && prefix.Bits() >= 16 && prefix.Bits() <= 24,
		"CIDR", a.CIDR, "use an IPv4 range from /16 to /24 without host bits, such as 10.20.0.0/16")
	p.Unless(len(a.Zones) > 0, "zones", a.Zones, "name at least one availability zone")
	seen := map[string]bool{}
	for _, zone := range a.Zones {
		_, ok := zoneNumber(zone)
		p.Unless(ok, "zones", zone, "use an availability zone's full name ending in a to h, such as eu-central-1a")
		p.Unless(!seen[zone], "zones", zone, "name every zone once")
		seen[zone] = true
	}
	return p
}
