package components

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/components/guardrails"
)

// NetworkArgs describe a network with a public subnet in each of its zones.
type NetworkArgs struct {
	CIDR       string   // IPv4 range of the VPC, /16 to /24
	Zones      []string // full names, such as eu-central-1a, each once
	FlowLogged bool     // whoever asks for the network keeps a flow log of it
}

// Network is a VPC of its own, with a way to the internet and nothing open: the default security group has no rules.
type Network struct {
	pulumi.ResourceState
	VPCID  pulumi.StringOutput
	Public []Subnet          // one per zone, in the order of the arguments
	ready  []pulumi.Resource // the way to the internet; what needs it depends on these: a component's children may still be on their way
}

// NewNetwork refuses bad args before it registers anything.
func NewNetwork(ctx *pulumi.Context, name string, args *NetworkArgs, opts ...pulumi.ResourceOption) (*Network, error) {
	if err := args.validate().err("network", name); err != nil {
		return nil, err
	}
	n := &Network{}
	if err := ctx.RegisterComponentResource("twip:components:Network", name, n, opts...); err != nil {
		return nil, err
	}
	if err := n.register(ctx, name, args); err != nil {
		return nil, fmt.Errorf("network %q: %w", name, err)
	}
	return n, ctx.RegisterResourceOutputs(n, pulumi.Map{"vpcId": n.VPCID})
}

func (n *Network) register(ctx *pulumi.Context, name string, args *NetworkArgs) error {
	child := pulumi.Parent(n)
	vpc, err := ec2.NewVpc(ctx, name, &ec2.VpcArgs{
		CidrBlock:          pulumi.String(args.CIDR),
		EnableDnsSupport:   pulumi.Bool(true),
		EnableDnsHostnames: pulumi.Bool(true),
		Tags:               named(name),
	}, child, guardrails.ExceptWhen(ctx, !args.FlowLogged, "EC2.6", "a training network costs nothing; its one machine is disposable, and the edge logs every request"))
	if err != nil {
		return fmt.Errorf("VPC: %w", err)
	}
	n.VPCID = vpc.ID().ToStringOutput()

	// Adopting the group that every VPC is born with, without rules, takes away those it is born with.
	if _, err = ec2.NewDefaultSecurityGroup(ctx, name, &ec2.DefaultSecurityGroupArgs{VpcId: vpc.ID(), Tags: named(name + "-default-unused")}, child); err != nil {
		return fmt.Errorf("default security group: %w", err)
	}
	gateway, err := ec2.NewInternetGateway(ctx, name, &ec2.InternetGatewayArgs{VpcId: vpc.ID(), Tags: named(name)}, child)
	if err != nil {
		return fmt.Errorf("internet gateway: %w", err)
	}
	routes, err := ec2.NewRouteTable(ctx, name+"-public", &ec2.RouteTableArgs{VpcId: vpc.ID(), Tags: named(name + "-public")}, child)
	if err != nil {
		return fmt.Errorf("public route table: %w", err)
	}
	out, err := ec2.NewRoute(ctx, name+"-public", &ec2.RouteArgs{
		RouteTableId:         routes.ID(),
		DestinationCidrBlock: pulumi.String(anywhere),
		GatewayId:            gateway.ID(),
	}, child)
	if err != nil {
		return fmt.Errorf("route to the internet: %w", err)
	}
	n.ready = append(n.ready, out)
	for _, zone := range args.Zones {
		subnetName := name + "-public-" + zone
		cidr, err := subnetCIDR(args.CIDR, zone)
		if err != nil {
			return err
		}
		subnet, err := ec2.NewSubnet(ctx, subnetName, &ec2.SubnetArgs{
			VpcId:            vpc.ID(),
			AvailabilityZone: pulumi.String(zone),
			CidrBlock:        pulumi.String(cidr),
			// A public address is given to what needs one, never to whatever happens to start here.
			MapPublicIpOnLaunch: pulumi.Bool(false),
			Tags:                named(subnetName),
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
		n.ready = append(n.ready, link)
		n.Public = append(n.Public, Subnet{ID: subnet.ID().ToStringOutput(), Zone: zone})
	}
	return nil
}

func (a *NetworkArgs) validate() (p problems) {
	prefix, err := netip.ParsePrefix(a.CIDR)
	p.unless(err == nil && prefix.Addr().Is4() && prefix == prefix.Masked() && prefix.Bits() >= 16 && prefix.Bits() <= 24, "CIDR", a.CIDR,
		"use an IPv4 range from /16 to /24 without host bits, such as 10.20.0.0/16")
	p.unless(len(a.Zones) > 0, "zones", a.Zones, "name at least one availability zone")
	seen := map[string]bool{}
	for _, zone := range a.Zones {
		_, ok := zoneNumber(zone)
		p.unless(ok, "zones", zone, "use an availability zone's full name ending in a to h, such as eu-central-1a")
		p.unless(!seen[zone], "zones", zone, "name every zone once")
		seen[zone] = true
	}
	return p
}

// subnetBits splits a VPC into sixteen subnets: eight zones, public in the lower half. The upper half is free for
// subnets that the internet cannot reach.
const subnetBits = 4

// subnetCIDR is the range of a zone's public subnet.
func subnetCIDR(vpc, zone string) (string, error) { return zoneCIDR(vpc, zone, 0) }

// zoneCIDR is the range of one of a zone's subnets; those of one kind begin with the first-th sixteenth of the VPC. It
// depends on the zone's letter alone, so that adding or removing a zone moves no other subnet.
func zoneCIDR(vpc, zone string, first int) (string, error) {
	prefix, err := netip.ParsePrefix(vpc)
	if err != nil {
		return "", fmt.Errorf("VPC range %q: %w", vpc, err)
	}
	number, ok := zoneNumber(zone)
	if !ok {
		return "", fmt.Errorf("zone %q: it does not end in a letter from a to h", zone)
	}
	bits := prefix.Bits() + subnetBits
	address := prefix.Masked().Addr().As4()
	value := uint32(address[0])<<24 | uint32(address[1])<<16 | uint32(address[2])<<8 | uint32(address[3])
	value += uint32(first+number) << (32 - bits)
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(value >> 24), byte(value >> 16), byte(value >> 8), byte(value)}), bits).String(), nil
}

// zoneNumber is 0 for a region's zone a, 1 for b and so on.
func zoneNumber(zone string) (int, bool) {
	if len(zone) < 2 {
		return 0, false
	}
	number := strings.IndexByte("abcdefgh", zone[len(zone)-1])
	return number, number >= 0
}
