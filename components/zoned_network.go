package components

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// ZonedNetworkArgs describe a network that outlives the loss of a zone.
type ZonedNetworkArgs struct {
	Region             string           // required
	Zones              []string         // required; two or three full names, such as eu-central-1a
	CIDR               string           // required without Existing; IPv4 range of the VPC, /16 to /24
	Existing           *ExistingNetwork // a VPC that is there already; nil makes one
	SingleNAT          bool             // one NAT gateway for all zones: cheaper, but its zone's loss cuts machines off from ECR and logs
	InterfaceEndpoints bool             // reach ECR and CloudWatch Logs without NAT
	FlowLogDays        int              // required without Existing; how long CloudWatch Logs keeps the flow log, one of LogRetentionDays
}

// ExistingNetwork names the parts of a VPC that somebody else keeps. It must resolve names (DNS support and host names),
// its public subnets must lead to an internet gateway and its private ones to ECR, CloudWatch Logs and Debian's archive.
type ExistingNetwork struct {
	VPCID   string
	Public  map[string]string // subnet id by zone
	Private map[string]string // subnet id by zone
}

// ZonedNetwork has a public and a private subnet in every zone: load balancers and NAT gateways stand in public ones,
// machines and mount targets in private ones. No subnet gives out public addresses.
type ZonedNetwork struct {
	pulumi.ResourceState
	VPCID     pulumi.StringOutput
	Public    []Subnet           // one per zone, in the order of the arguments
	Private   []Subnet           // likewise
	Addresses pulumi.StringArray // public addresses that machines are seen under; none in an existing VPC
	ready     []pulumi.Resource  // routes and endpoints that a machine needs at boot
	outward   []pulumi.Resource  // the public subnets' way to the internet; none in an existing VPC
	region    string
}

// NewZonedNetwork refuses bad args before it registers anything.
func NewZonedNetwork(ctx *pulumi.Context, name string, args *ZonedNetworkArgs, opts ...pulumi.ResourceOption) (*ZonedNetwork, error) {
	if err := args.validate().err("zoned network", name); err != nil {
		return nil, err
	}
	n := &ZonedNetwork{region: args.Region}
	if err := ctx.RegisterComponentResource("twip:components:ZonedNetwork", name, n, opts...); err != nil {
		return nil, err
	}
	register := n.register
	if args.Existing != nil {
		register = n.adopt
	}
	if err := register(ctx, name, args); err != nil {
		return nil, fmt.Errorf("zoned network %q: %w", name, err)
	}
	return n, ctx.RegisterResourceOutputs(n, pulumi.Map{"vpcId": n.VPCID})
}

// adopt registers nothing: what is there stays its keeper's.
func (n *ZonedNetwork) adopt(_ *pulumi.Context, _ string, args *ZonedNetworkArgs) error {
	n.VPCID = pulumi.String(args.Existing.VPCID).ToStringOutput()
	for _, zone := range args.Zones {
		n.Public = append(n.Public, Subnet{ID: pulumi.String(args.Existing.Public[zone]), Zone: zone})
		n.Private = append(n.Private, Subnet{ID: pulumi.String(args.Existing.Private[zone]), Zone: zone})
	}
	return nil
}

func (n *ZonedNetwork) register(ctx *pulumi.Context, name string, args *ZonedNetworkArgs) error {
	child := pulumi.Parent(n)
	outer, err := NewNetwork(ctx, name, &NetworkArgs{CIDR: args.CIDR, Zones: args.Zones, FlowLogged: true}, child)
	if err != nil {
		return err
	}
	n.VPCID, n.Public, n.outward = outer.VPCID, outer.Public, outer.ready
	tables, err := n.registerPrivate(ctx, name, args, outer)
	if err != nil {
		return err
	}
	// The layers of images come from S3: this way they cost nothing and need no NAT.
	storage, err := ec2.NewVpcEndpoint(ctx, name+"-s3", &ec2.VpcEndpointArgs{
		VpcId:           n.VPCID,
		ServiceName:     pulumi.String("com.amazonaws." + args.Region + ".s3"),
		VpcEndpointType: pulumi.String("Gateway"),
		RouteTableIds:   tables,
		Tags:            named(name + "-s3"),
	}, child)
	if err != nil {
		return fmt.Errorf("S3 endpoint: %w", err)
	}
	n.ready = append(n.ready, storage)
	if args.InterfaceEndpoints {
		if err = n.registerEndpoints(ctx, name, args); err != nil {
			return err
		}
	}
	return newFlowLog(ctx, name, n.VPCID, args.FlowLogDays, child)
}

// registerPrivate makes a private subnet with a route table of its own in every zone, and the NAT gateways that the
// route tables lead to.
func (n *ZonedNetwork) registerPrivate(ctx *pulumi.Context, name string, args *ZonedNetworkArgs, outer *Network) (pulumi.StringArray, error) {
	child := pulumi.Parent(n)
	var tables pulumi.StringArray
	var nat *ec2.NatGateway
	for i, zone := range args.Zones {
		subnetName := name + "-private-" + zone
		cidr, err := privateCIDR(args.CIDR, zone)
		if err != nil {
			return nil, err
		}
		subnet, err := ec2.NewSubnet(ctx, subnetName, &ec2.SubnetArgs{
			VpcId:               n.VPCID,
			AvailabilityZone:    pulumi.String(zone),
			CidrBlock:           pulumi.String(cidr),
			MapPublicIpOnLaunch: pulumi.Bool(false),
			Tags:                named(subnetName),
		}, child)
		if err != nil {
			return nil, fmt.Errorf("private subnet in %s: %w", zone, err)
		}
		if nat == nil || !args.SingleNAT {
			if nat, err = n.registerNAT(ctx, name+"-nat-"+zone, outer, outer.Public[i]); err != nil {
				return nil, fmt.Errorf("NAT in %s: %w", zone, err)
			}
		}
		table, err := ec2.NewRouteTable(ctx, subnetName, &ec2.RouteTableArgs{VpcId: n.VPCID, Tags: named(subnetName)}, child)
		if err != nil {
			return nil, fmt.Errorf("private route table in %s: %w", zone, err)
		}
		route, err := ec2.NewRoute(ctx, subnetName, &ec2.RouteArgs{
			RouteTableId:         table.ID(),
			DestinationCidrBlock: pulumi.String(anywhere),
			NatGatewayId:         nat.ID(),
		}, child)
		if err != nil {
			return nil, fmt.Errorf("private route in %s: %w", zone, err)
		}
		link, err := ec2.NewRouteTableAssociation(ctx, subnetName, &ec2.RouteTableAssociationArgs{SubnetId: subnet.ID(), RouteTableId: table.ID()}, child)
		if err != nil {
			return nil, fmt.Errorf("routes of the private subnet in %s: %w", zone, err)
		}
		n.ready = append(n.ready, route, link)
		n.Private = append(n.Private, Subnet{ID: subnet.ID().ToStringOutput(), Zone: zone})
		tables = append(tables, table.ID())
	}
	return tables, nil
}

// registerNAT keeps the address apart from the gateway: whoever has let it through a firewall keeps seeing the same one.
func (n *ZonedNetwork) registerNAT(ctx *pulumi.Context, name string, outer *Network, subnet Subnet) (*ec2.NatGateway, error) {
	address, err := ec2.NewEip(ctx, name, &ec2.EipArgs{Domain: pulumi.String("vpc"), Tags: named(name)}, pulumi.Parent(n))
	if err != nil {
		return nil, fmt.Errorf("elastic IP: %w", err)
	}
	n.Addresses = append(n.Addresses, address.PublicIp)
	return ec2.NewNatGateway(ctx, name, &ec2.NatGatewayArgs{
		AllocationId: address.ID(),
		SubnetId:     subnet.ID,
		Tags:         named(name),
		// A NAT gateway without a way to the internet is made, and fails.
	}, pulumi.Parent(n), pulumi.DependsOn(outer.ready))
}

// privateServices are what a machine talks to at boot and all the time.
var privateServices = []string{"ecr.api", "ecr.dkr", "logs"}

func (n *ZonedNetwork) registerEndpoints(ctx *pulumi.Context, name string, args *ZonedNetworkArgs) error {
	child := pulumi.Parent(n)
	wall, err := newFirewall(ctx, name+"-endpoints", n.VPCID, []Flow{{Name: "tls", Port: 443, CIDRs: []string{args.CIDR}}}, nil, child)
	if err != nil {
		return fmt.Errorf("interface endpoints: %w", err)
	}
	var subnets pulumi.StringArray
	for _, subnet := range n.Private {
		subnets = append(subnets, subnet.ID)
	}
	for _, service := range privateServices {
		endpoint, err := ec2.NewVpcEndpoint(ctx, name+"-"+service, &ec2.VpcEndpointArgs{
			VpcId:             n.VPCID,
			ServiceName:       pulumi.String("com.amazonaws." + args.Region + "." + service),
			VpcEndpointType:   pulumi.String("Interface"),
			PrivateDnsEnabled: pulumi.Bool(true),
			SubnetIds:         subnets,
			SecurityGroupIds:  pulumi.StringArray{wall.group.ID()},
			Tags:              named(name + "-" + service),
		}, child)
		if err != nil {
			return fmt.Errorf("endpoint of %s: %w", service, err)
		}
		n.ready = append(n.ready, endpoint)
	}
	return nil
}

func (a *ZonedNetworkArgs) validate() (p problems) {
	p.unless(a.Region != "", "region", a.Region, "name the region, such as eu-central-1")
	p.unless(len(a.Zones) == 2 || len(a.Zones) == 3, "zones", a.Zones, "name two or three availability zones: one could not survive its loss, four buy little")
	if a.Existing == nil {
		p = append(p, (&NetworkArgs{CIDR: a.CIDR, Zones: a.Zones}).validate()...)
		p = append(p, checkRetention("flowLogDays", a.FlowLogDays)...)
		return p
	}
	p.unless(a.Existing.VPCID != "", "existing: vpcId", a.Existing.VPCID, "give the VPC's id")
	p.unless(!a.SingleNAT && !a.InterfaceEndpoints, "existing", a.Existing.VPCID, "leave NAT and endpoints to whoever keeps that VPC")
	for _, zone := range a.Zones {
		p.unless(a.Existing.Public[zone] != "", "existing: public", zone, "give the id of a public subnet in that zone")
		p.unless(a.Existing.Private[zone] != "", "existing: private", zone, "give the id of a private subnet in that zone")
	}
	return p
}

// privateCIDR is the range of a zone's private subnet, in the half of the VPC that NewNetwork leaves free.
func privateCIDR(vpc, zone string) (string, error) { return zoneCIDR(vpc, zone, 1<<(subnetBits-1)) }
