package network

import (
	"fmt"

	"twip/components/internal/logs"
	"twip/components/internal/problem"
	"twip/components/internal/tag"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// PrivateArgs describe a VPC for machines in private subnets, over several zones.
type PrivateArgs struct {
	Region             string    // required
	Zones              []string  // required; two or three full names, such as eu-central-1a
	CIDR               string    // required without Existing; IPv4 range of the VPC, /16 to /24
	Existing           *Existing // a VPC that is there already; nil makes one
	SingleNAT          bool      // one NAT gateway for all zones: its zone's loss cuts machines off from ECR and logs
	InterfaceEndpoints bool      // reach ECR and CloudWatch Logs without NAT
	FlowLogDays        int       // required without Existing; retention of the flow log, one of LogRetentionDays
}

// Existing names the parts of a VPC that somebody else keeps. It must resolve names (DNS support and host names), its
// public subnets must lead to an internet gateway and its private ones to ECR, CloudWatch Logs and Debian's archive.
type Existing struct {
	VPCID   string
	Public  map[string]string // subnet id by zone
	Private map[string]string // subnet id by zone
}

// Private has a public and a private subnet in every zone: load balancers and NAT gateways stand in public ones,
// machines and mount targets in private ones. No subnet gives out public addresses.
type Private struct {
	pulumi.ResourceState
	VPCID     pulumi.StringOutput
	Public    []Subnet           // one per zone, in the order of the arguments
	Private   []Subnet           // likewise
	Addresses pulumi.StringArray // public addresses that machines are seen under; none in an existing VPC
	Ready     []pulumi.Resource  // routes and endpoints that a machine needs at boot
	Outward   []pulumi.Resource  // the public subnets' way to the internet; none in an existing VPC
	DualStack bool               // the public subnets have IPv6 as well; in an existing VPC nobody counts on it
	Region    string             // as the arguments have it
}

// NewPrivate creates the VPC and its subnets, or adopts those of an existing VPC. It refuses bad args before it
// registers anything.
func NewPrivate(ctx *pulumi.Context, name string, args *PrivateArgs, opts ...pulumi.ResourceOption) (*Private, error) {
	if err := args.validate().Err("private network", name); err != nil {
		return nil, err
	}
	n := &Private{Region: args.Region}
	if err := ctx.RegisterComponentResource("twip:components:ZonedNetwork", name, n, opts...); err != nil {
		return nil, err
	}
	register := n.register
	if args.Existing != nil {
		register = n.adopt
	}
	if err := register(ctx, name, args); err != nil {
		return nil, fmt.Errorf("private network %q: %w", name, err)
	}
	return n, ctx.RegisterResourceOutputs(n, pulumi.Map{"vpcId": n.VPCID})
}

// adopt registers nothing: what is there stays its keeper's.
func (n *Private) adopt(_ *pulumi.Context, _ string, args *PrivateArgs) error {
	n.VPCID = pulumi.String(args.Existing.VPCID).ToStringOutput()
	for _, zone := range args.Zones {
		n.Public = append(n.Public, Subnet{ID: pulumi.String(args.Existing.Public[zone]), Zone: zone})
		n.Private = append(n.Private, Subnet{ID: pulumi.String(args.Existing.Private[zone]), Zone: zone})
	}
	return nil
}

func (n *Private) register(ctx *pulumi.Context, name string, args *PrivateArgs) error {
	child := pulumi.Parent(n)
	outer, err := NewPublic(ctx, name, &PublicArgs{
		CIDR: args.CIDR, Zones: args.Zones, FlowLogged: true, DualStack: true,
	}, child)
	if err != nil {
		return err
	}
	n.VPCID, n.Public, n.Outward, n.DualStack = outer.VPCID, outer.Public, outer.Ready, true
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
		Tags:            tag.Named(name + "-s3"),
	}, child)
	if err != nil {
		return fmt.Errorf("S3 endpoint: %w", err)
	}
	n.Ready = append(n.Ready, storage)
	if args.InterfaceEndpoints {
		if err = n.registerEndpoints(ctx, name, args); err != nil {
			return err
		}
	}
	return newFlowLog(ctx, name, n.VPCID, args.FlowLogDays, child)
}

// registerPrivate makes a private subnet with a route table of its own in every zone, and the NAT gateways that the
// route tables lead to.
func (n *Private) registerPrivate(
	ctx *pulumi.Context, name string, args *PrivateArgs, outer *Public,
) (pulumi.StringArray, error) {
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
			Tags:                tag.Named(subnetName),
		}, child)
		if err != nil {
			return nil, fmt.Errorf("private subnet in %s: %w", zone, err)
		}
		if nat == nil || !args.SingleNAT {
			if nat, err = n.registerNAT(ctx, name+"-nat-"+zone, outer, outer.Public[i]); err != nil {
				return nil, fmt.Errorf("NAT in %s: %w", zone, err)
			}
		}
		table, err := ec2.NewRouteTable(ctx, subnetName,
			&ec2.RouteTableArgs{VpcId: n.VPCID, Tags: tag.Named(subnetName)}, child)
		if err != nil {
			return nil, fmt.Errorf("private route table in %s: %w", zone, err)
		}
		route, err := ec2.NewRoute(ctx, subnetName, &ec2.RouteArgs{
			RouteTableId:         table.ID(),
			DestinationCidrBlock: pulumi.String(Anywhere),
			NatGatewayId:         nat.ID(),
		}, child)
		if err != nil {
			return nil, fmt.Errorf("private route in %s: %w", zone, err)
		}
		link, err := ec2.NewRouteTableAssociation(ctx, subnetName,
			&ec2.RouteTableAssociationArgs{SubnetId: subnet.ID(), RouteTableId: table.ID()}, child)
		if err != nil {
			return nil, fmt.Errorf("routes of the private subnet in %s: %w", zone, err)
		}
		n.Ready = append(n.Ready, route, link)
		n.Private = append(n.Private, Subnet{ID: subnet.ID().ToStringOutput(), Zone: zone})
		tables = append(tables, table.ID())
	}
	return tables, nil
}

// registerNAT keeps the address apart from the gateway: whoever has let it through their firewall keeps seeing the same
// one.
func (n *Private) registerNAT(ctx *pulumi.Context, name string, outer *Public, subnet Subnet) (*ec2.NatGateway, error) {
	address, err := ec2.NewEip(ctx, name, &ec2.EipArgs{Domain: pulumi.String("vpc"), Tags: tag.Named(name)},
		pulumi.Parent(n))
	if err != nil {
		return nil, fmt.Errorf("elastic IP: %w", err)
	}
	n.Addresses = append(n.Addresses, address.PublicIp)
	return ec2.NewNatGateway(ctx, name, &ec2.NatGatewayArgs{
		AllocationId: address.ID(),
		SubnetId:     subnet.ID,
		Tags:         tag.Named(name),
		// A NAT gateway without a way to the internet is made, and fails.
	}, pulumi.Parent(n), pulumi.DependsOn(outer.Ready))
}

// privateServices are what a machine talks to at boot and all the time.
var privateServices = []string{"ecr.api", "ecr.dkr", "logs", "autoscaling"}

func (n *Private) registerEndpoints(ctx *pulumi.Context, name string, args *PrivateArgs) error {
	child := pulumi.Parent(n)
	group, err := NewSecurityGroup(ctx, name+"-endpoints", n.VPCID,
		[]Flow{{Name: "tls", Port: 443, CIDRs: []string{args.CIDR}}}, nil, child)
	if err != nil {
		return fmt.Errorf("interface endpoints: %w", err)
	}
	for _, service := range privateServices {
		endpoint, err := ec2.NewVpcEndpoint(ctx, name+"-"+service, &ec2.VpcEndpointArgs{
			VpcId:             n.VPCID,
			ServiceName:       pulumi.String("com.amazonaws." + args.Region + "." + service),
			VpcEndpointType:   pulumi.String("Interface"),
			PrivateDnsEnabled: pulumi.Bool(true),
			SubnetIds:         IDs(n.Private),
			SecurityGroupIds:  pulumi.StringArray{group.Group.ID()},
			Tags:              tag.Named(name + "-" + service),
		}, child)
		if err != nil {
			return fmt.Errorf("endpoint of %s: %w", service, err)
		}
		n.Ready = append(n.Ready, endpoint)
	}
	return nil
}

func (a *PrivateArgs) validate() (p problem.List) {
	p.Unless(a.Region != "", "region", a.Region, "name the region, such as eu-central-1")
	p.Unless(len(a.Zones) == 2 || len(a.Zones) == 3, "zones", a.Zones,
		"name two or three availability zones: one could not survive its loss, four buy little")
	if a.Existing == nil {
		p = append(p, (&PublicArgs{CIDR: a.CIDR, Zones: a.Zones}).validate()...)
		p = append(p, logs.CheckRetention("flowLogDays", a.FlowLogDays)...)
		return p
	}
	p.Unless(a.Existing.VPCID != "", "existing: vpcId", a.Existing.VPCID, "give the VPC's id")
	p.Unless(!a.SingleNAT && !a.InterfaceEndpoints, "existing", a.Existing.VPCID,
		"leave NAT and endpoints to whoever keeps that VPC")
	for _, zone := range a.Zones {
		p.Unless(a.Existing.Public[zone] != "", "existing: public", zone, "give the id of a public subnet in that zone")
		p.Unless(a.Existing.Private[zone] != "", "existing: private", zone,
			"give the id of a private subnet in that zone")
	}
	return p
}
