package edge

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudfront"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/components/internal/logs"
	"twip/components/internal/problem"
	"twip/components/internal/tag"
	"twip/components/network"
	"twip/components/tier"
	"twip/infra/guardrails"
)

// LoadBalancerArgs describe the edge of several zones.
type LoadBalancerArgs struct {
	Network          *network.Private // required; stands in its public subnets
	Static           *tier.StaticTier // required, in a group; gets /styles/* and /images/*
	App              *tier.AppTier    // required, in a group; gets everything else
	SiteCIDRs        []string         // required; IPv4 ranges that may see the site
	Domain           *Domain          // nil: the site is known by the load balancer's name, and has no TLS
	LogRetentionDays int              // required; one of components.LogRetentionDays

	Protect bool        // refuse to delete the load balancer, and with it the name and addresses that the world knows
	WebACL  *WebACLArgs // nil: no web application firewall
	CDN     *CDNArgs    // nil: visitors reach the load balancer itself; needs a domain
}

// LoadBalancer is the edge of several zones: an application load balancer, and what stands before it.
type LoadBalancer struct {
	pulumi.ResourceState
	URL         pulumi.StringOutput
	Balancer    *lb.LoadBalancer
	Ready       []pulumi.Resource  // listeners, rules and flows: a group's servers are reachable after these
	Certificate pulumi.StringInput // ARN; nil without a domain

	Distribution   *cloudfront.Distribution // nil without a CDN
	CDNCertificate pulumi.StringInput       // ARN, of us-east-1; nil without a CDN

	securityGroup *network.SecurityGroup
	account       string // number
}

const (
	tlsPort = 443
	// tlsPolicy offers TLS 1.3 and 1.2 with forward secrecy; a listener made through the API would get one of 2016:
	// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
	tlsPolicy = "ELBSecurityPolicy-TLS13-1-2-2021-06"
	// strictTransport has browsers come by TLS only for a year, as CloudFront's policy of headers does (RFC 6797).
	strictTransport = "max-age=31536000"
	// idleSeconds is how long the load balancer waits for the next byte of an answer: longer than a keeper holds a
	// request that meets a change of the leader, and shorter than the 75 s for which keepers and nginx keep a
	// connection open, so that it never sends a request into one that is being closed.
	idleSeconds = 60
)

// StaticPaths go to the StaticTier; everything else goes to the AppTier.
var StaticPaths = []string{"/styles/*", "/images/*"}

// NewLoadBalancer creates the load balancer, its access logs, listeners, rules and security group, the records and the
// certificate of the domain, the web ACL and the CDN. It refuses bad args before it registers anything.
func NewLoadBalancer(
	ctx *pulumi.Context, name string, args *LoadBalancerArgs, opts ...pulumi.ResourceOption,
) (*LoadBalancer, error) {
	if err := args.validate(name).Err("edge proxy", name); err != nil {
		return nil, err
	}
	b := &LoadBalancer{}
	if err := ctx.RegisterComponentResource(Token, name, b, opts...); err != nil {
		return nil, err
	}
	if err := b.register(ctx, name, args); err != nil {
		return nil, fmt.Errorf("edge proxy %q: %w", name, err)
	}
	return b, ctx.RegisterResourceOutputs(b, pulumi.Map{"url": b.URL})
}

func (b *LoadBalancer) register(ctx *pulumi.Context, name string, args *LoadBalancerArgs) error {
	child := pulumi.Parent(b)
	group, err := args.newSecurityGroup(ctx, name, child)
	if err != nil {
		return err
	}
	self, err := aws.GetCallerIdentity(ctx, nil, child)
	if err != nil {
		return fmt.Errorf("access logs: whose account this is: %w", err)
	}
	b.account = self.AccountId
	to := balancerLogs(name+"-logs", self.AccountId, args.Network.Region, args.LogRetentionDays)
	logs, mayLog, err := to.register(ctx, child)
	if err != nil {
		return err
	}
	// AWS refuses a load balancer for the internet in a VPC that has no gateway yet.
	ready := append([]pulumi.Resource{mayLog}, args.Network.Outward...)
	// Protected from AWS's side, so that nobody deletes it by hand, and from Pulumi's, so that no program does.
	balancer, err := lb.NewLoadBalancer(ctx, name, &lb.LoadBalancerArgs{
		LoadBalancerType:         pulumi.String("application"),
		Internal:                 pulumi.Bool(false),
		Subnets:                  network.IDs(args.Network.Public),
		SecurityGroups:           pulumi.StringArray{group.Group.ID()},
		DropInvalidHeaderFields:  pulumi.Bool(true),
		DesyncMitigationMode:     pulumi.String("defensive"),
		EnableDeletionProtection: pulumi.Bool(args.Protect),
		IdleTimeout:              pulumi.Int(idleSeconds),
		IpAddressType:            pulumi.String(args.addresses()),
		// Whoever sees a zone fail takes it out of the site's addresses with one command, and AWS may do it by itself.
		EnableZonalShift: pulumi.Bool(true),
		AccessLogs:       &lb.LoadBalancerAccessLogsArgs{Bucket: logs.Bucket, Enabled: pulumi.Bool(true)},
		Tags:             tag.Named(name),
	}, child, pulumi.Protect(args.Protect), pulumi.DependsOn(ready),
		guardrails.ExceptWhen(ctx, !args.Protect, "ELB.6",
			"whoever is about to destroy the environment lifts the protection by configuration (twip:protectEdge)"),
		guardrails.ExceptWhen(ctx, args.WebACL == nil, "ELB.16",
			"the web ACL is a step on the way to the public release (twip:waf)"),
		guardrails.ExceptWhen(ctx, args.onlyCDN(), "ELB.16", "the web ACL stands at CloudFront, "+
			"where it sees visitors' own addresses; the load balancer answers nobody else"),
		guardrails.ExceptWhen(ctx, !args.Network.DualStack, "TWIP-EDGE-4",
			"whoever keeps the existing VPC decides whether it has IPv6"))
	if err != nil {
		return fmt.Errorf("load balancer: %w", err)
	}
	b.Balancer, b.securityGroup, b.Ready = balancer, group, group.Rules
	if err = b.registerFlows(ctx, name, args); err != nil {
		return err
	}
	// Where CloudFront is put in front of a site that runs, visitors are led to it before the load balancer turns them
	// away.
	led, err := b.registerNames(ctx, name, args)
	if err != nil {
		return err
	}
	// Behind CloudFront the web ACL stands there, where it sees visitors' own addresses.
	if args.WebACL != nil && !args.onlyCDN() {
		acl, err := newWebACL(ctx, name, args.WebACL,
			webACLPlace{scope: regional, account: b.account, cdn: args.CDN}, child)
		if err != nil {
			return err
		}
		link, err := acl.protect(ctx, name, balancer.Arn, child)
		if err != nil {
			return err
		}
		// Nobody is let in, and no server started, before the web ACL stands there.
		led, b.Ready = append(led, link), append(b.Ready, link)
	}
	listener, err := b.registerListeners(ctx, name, args, pulumi.DependsOn(led))
	if err != nil {
		return err
	}
	return b.registerRules(ctx, name, args, listener, pulumi.DependsOn(led))
}

// addresses is what kind of addresses the load balancer has.
func (a *LoadBalancerArgs) addresses() string {
	if a.Network.DualStack {
		return "dualstack"
	}
	return "ipv4"
}

// newSecurityGroup lets visitors in: from the configured ranges, or, behind CloudFront, from CloudFront alone.
func (a *LoadBalancerArgs) newSecurityGroup(
	ctx *pulumi.Context, name string, parent pulumi.ResourceOrInvokeOption,
) (*network.SecurityGroup, error) {
	if !a.onlyCDN() {
		// Whoever lets everybody in means those with IPv6 as well.
		readers := slices.Clone(a.SiteCIDRs)
		if a.Network.DualStack && slices.Contains(readers, network.Anywhere) {
			readers = append(readers, network.AnywhereIPv6)
		}
		flows := []network.Flow{{Name: "site", Port: sitePort, CIDRs: readers}}
		if a.Domain != nil {
			flows = append(flows, network.Flow{Name: "site-tls", Port: tlsPort, CIDRs: readers})
		}
		return network.NewSecurityGroup(ctx, name, a.Network.VPCID, flows, nil, parent)
	}
	group, err := network.NewSecurityGroup(ctx, name, a.Network.VPCID, nil, nil, parent)
	if err != nil {
		return nil, err
	}
	origins := ec2.LookupManagedPrefixListOutput(ctx, ec2.LookupManagedPrefixListOutputArgs{
		Name: pulumi.String("com.amazonaws.global.cloudfront.origin-facing"),
	}, parent)
	return group, group.AdmitPrefixList(ctx, name, "cloudfront", origins.Id(), tlsPort, parent)
}

// registerFlows opens the ways from the load balancer to the servers, and no other way out.
func (b *LoadBalancer) registerFlows(ctx *pulumi.Context, name string, args *LoadBalancerArgs) error {
	for _, t := range []struct {
		name    string
		servers *tier.TargetGroup
	}{{"static", args.Static.TargetGroup}, {"app", args.App.TargetGroup}} {
		for _, port := range t.servers.Ports() {
			rules, err := network.Connection{
				Name: fmt.Sprintf("%s-%s-%d", name, t.name, port),
				From: b.securityGroup, To: t.servers.SecurityGroup, Port: port,
			}.Register(ctx, pulumi.Parent(b))
			if err != nil {
				return err
			}
			b.Ready = append(b.Ready, rules...)
		}
	}
	return nil
}

func (a *LoadBalancerArgs) validate(name string) problem.List {
	p := tier.CheckName(name)
	p = append(p, logs.CheckRetention("logRetentionDays", a.LogRetentionDays)...)
	p.Unless(a.Network != nil, "network", nil, "give it the private network whose zones it stands in")
	p.Unless(a.Static != nil && a.Static.TargetGroup != nil, "static", nil, "give it a StaticTier with a Network")
	p.Unless(a.App != nil && a.App.TargetGroup != nil, "app", nil, "give it an AppTier with a Group")
	p.Unless(len(a.SiteCIDRs) > 0, "siteCIDRs", a.SiteCIDRs,
		"name at least one range that may see the site, such as 0.0.0.0/0")
	p = append(p, network.CheckFlows([]network.Flow{{Name: "site", Port: sitePort, CIDRs: a.SiteCIDRs}})...)
	p = append(p, a.Domain.validate()...)
	if a.WebACL != nil {
		p = append(p, a.WebACL.validate()...)
	}
	if a.CDN != nil {
		p = append(p, a.CDN.validate()...)
		p.Unless(a.Domain != nil, "CDN", nil,
			"give the site a domain: CloudFront reaches the load balancer by a name of it")
	}
	return p
}
