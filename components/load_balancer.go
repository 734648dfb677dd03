package components

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/components/guardrails"
)

// BalancerArgs are what an edge in several zones is told beside what every edge is.
type BalancerArgs struct {
	Protect bool        // refuse to delete the load balancer, and with it the name and addresses that the world knows
	WebACL  *WebACLArgs // nil: no web application firewall
	CDN     *CDNArgs    // nil: visitors reach the load balancer itself; needs a domain
}

// balancer is an edge in all zones: an application load balancer.
type balancer struct {
	lb    *lb.LoadBalancer
	wall  *firewall
	ready []pulumi.Resource // listeners, rules and flows: a group's servers are reachable after these

	certificate pulumi.StringInput // nil without a domain
}

const (
	tlsPort = 443
	// tlsPolicy offers TLS 1.3 and 1.2 with forward secrecy; a listener made through the API would get one of 2016:
	// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
	tlsPolicy = "ELBSecurityPolicy-TLS13-1-2-2021-06"
	// idleSeconds is how long the load balancer waits for the next byte of an answer: longer than a keeper holds a request
	// that meets a change of the leader, and shorter than the 75 s for which keepers and nginx keep a connection open, so
	// that it never sends a request into one that is being closed.
	idleSeconds = 60
)

// staticPaths go to the StaticTier; everything else goes to the AppTier.
var staticPaths = []string{"/styles/*", "/images/*"}

// registerBalancer makes the load balancer, its listeners and the way to the tiers' servers.
func (e *EdgeProxy) registerBalancer(ctx *pulumi.Context, name string, args *EdgeProxyArgs, place InGroup) error {
	child := pulumi.Parent(e)
	wall, err := args.balancerWall(ctx, name, place, child)
	if err != nil {
		return err
	}
	logs, mayLog, err := balancerLogs(name+"-logs", place.Network.region, args.LogRetentionDays).register(ctx, child)
	if err != nil {
		return err
	}
	var subnets pulumi.StringArray
	for _, subnet := range place.Network.Public {
		subnets = append(subnets, subnet.ID)
	}
	// AWS refuses a load balancer for the internet in a VPC that has no gateway yet.
	ready := append([]pulumi.Resource{mayLog}, place.Network.outward...)
	// Protected from AWS's side, so that nobody deletes it by hand, and from Pulumi's, so that no program does.
	balance, err := lb.NewLoadBalancer(ctx, name, &lb.LoadBalancerArgs{
		LoadBalancerType:         pulumi.String("application"),
		Internal:                 pulumi.Bool(false),
		Subnets:                  subnets,
		SecurityGroups:           pulumi.StringArray{wall.group.ID()},
		DropInvalidHeaderFields:  pulumi.Bool(true),
		DesyncMitigationMode:     pulumi.String("defensive"),
		EnableDeletionProtection: pulumi.Bool(args.Balancer.Protect),
		IdleTimeout:              pulumi.Int(idleSeconds),
		AccessLogs:               &lb.LoadBalancerAccessLogsArgs{Bucket: logs.Bucket, Enabled: pulumi.Bool(true)},
		Tags:                     named(name),
	}, child, pulumi.Protect(args.Balancer.Protect), pulumi.DependsOn(ready),
		guardrails.ExceptWhen(ctx, !args.Balancer.Protect, "ELB.6", "whoever is about to destroy the environment lifts the protection by configuration (twip:protectEdge)"),
		guardrails.ExceptWhen(ctx, args.Balancer.WebACL == nil, "ELB.16", "the firewall is a step on the way to the public release (twip:waf)"),
		guardrails.ExceptWhen(ctx, args.Balancer.CDN != nil, "ELB.16", "the firewall stands at CloudFront, where it sees visitors' own addresses; the load balancer answers nobody else"))
	if err != nil {
		return fmt.Errorf("load balancer: %w", err)
	}
	e.balancer = &balancer{lb: balance, wall: wall, ready: wall.rules}
	if err = e.registerFlows(ctx, name, args); err != nil {
		return err
	}
	// Where CloudFront is put in front of a site that runs, visitors are led to it before the load balancer turns them away.
	led, err := e.registerNames(ctx, name, args)
	if err != nil {
		return err
	}
	listener, err := e.registerListeners(ctx, name, args, pulumi.DependsOn(led))
	if err != nil {
		return err
	}
	if err = e.registerRules(ctx, name, args, listener, pulumi.DependsOn(led)); err != nil {
		return err
	}
	// Behind CloudFront the firewall stands there, where it sees visitors' own addresses.
	if args.Balancer.WebACL != nil && args.Balancer.CDN == nil {
		acl, err := newWebACL(ctx, name, args.Balancer.WebACL, regional, child)
		if err != nil {
			return err
		}
		if err = acl.protect(ctx, name, balance.Arn, child); err != nil {
			return err
		}
	}
	return nil
}

// balancerWall lets visitors in: from the configured ranges, or, behind CloudFront, from CloudFront alone.
func (a *EdgeProxyArgs) balancerWall(ctx *pulumi.Context, name string, place InGroup, parent pulumi.ResourceOrInvokeOption) (*firewall, error) {
	if a.Balancer.CDN == nil {
		flows := []Flow{{Name: "site", Port: sitePort, CIDRs: a.SiteCIDRs}}
		if a.Domain != nil {
			flows = append(flows, Flow{Name: "site-tls", Port: tlsPort, CIDRs: a.SiteCIDRs})
		}
		return newFirewall(ctx, name, place.Network.VPCID, flows, nil, parent)
	}
	wall, err := newFirewall(ctx, name, place.Network.VPCID, nil, nil, parent)
	if err != nil {
		return nil, err
	}
	origins := ec2.LookupManagedPrefixListOutput(ctx, ec2.LookupManagedPrefixListOutputArgs{
		Name: pulumi.String("com.amazonaws.global.cloudfront.origin-facing"),
	}, parent)
	rule, err := vpc.NewSecurityGroupIngressRule(ctx, name+"-in-cloudfront", &vpc.SecurityGroupIngressRuleArgs{
		SecurityGroupId: wall.group.ID(),
		PrefixListId:    origins.Id(),
		Description:     pulumi.String("cloudfront"),
		IpProtocol:      pulumi.String("tcp"),
		FromPort:        pulumi.Int(tlsPort),
		ToPort:          pulumi.Int(tlsPort),
		Tags:            named(name + "-cloudfront"),
	}, parent)
	if err != nil {
		return nil, fmt.Errorf("ingress from CloudFront: %w", err)
	}
	wall.rules = append(wall.rules, rule)
	return wall, nil
}

// registerFlows opens the ways from the load balancer to the servers, and no other way out.
func (e *EdgeProxy) registerFlows(ctx *pulumi.Context, name string, args *EdgeProxyArgs) error {
	for _, tier := range []struct {
		name string
		pool *Pool
	}{{"static", args.Static.Pool}, {"app", args.App.Pool}} {
		for _, port := range tier.pool.ports() {
			rules, err := connection{
				name: fmt.Sprintf("%s-%s-%d", name, tier.name, port),
				from: e.balancer.wall.group, to: tier.pool.wall.group, port: port,
			}.register(ctx, pulumi.Parent(e))
			if err != nil {
				return err
			}
			e.balancer.ready = append(e.balancer.ready, rules...)
		}
	}
	return nil
}

// registerListeners returns the listener that serves the site: with a domain the one with TLS, to which plain HTTP is
// redirected; without one, plain HTTP.
func (e *EdgeProxy) registerListeners(ctx *pulumi.Context, name string, args *EdgeProxyArgs, after pulumi.ResourceOption) (*lb.Listener, error) {
	child := pulumi.Parent(e)
	if args.Domain == nil {
		return lb.NewListener(ctx, name, &lb.ListenerArgs{
			LoadBalancerArn: e.balancer.lb.Arn,
			Port:            pulumi.Int(sitePort),
			Protocol:        pulumi.String("HTTP"),
			DefaultActions:  args.defaultAction(),
			Tags:            named(name),
		}, child, guardrails.Except(ctx, "ELB.1", "there is no certificate without a domain (twip:domain); every preview warns of it"))
	}
	certificate, err := newCertificate(ctx, name, args.Domain, []string{args.Domain.Name, originName(args.Domain)}, false, child)
	if err != nil {
		return nil, err
	}
	e.balancer.certificate = certificate
	redirect, err := lb.NewListener(ctx, name, &lb.ListenerArgs{
		LoadBalancerArn: e.balancer.lb.Arn,
		Port:            pulumi.Int(sitePort),
		Protocol:        pulumi.String("HTTP"),
		DefaultActions: lb.ListenerDefaultActionArray{&lb.ListenerDefaultActionArgs{
			Type: pulumi.String("redirect"),
			Redirect: &lb.ListenerDefaultActionRedirectArgs{
				Protocol: pulumi.String("HTTPS"), Port: pulumi.String(fmt.Sprint(tlsPort)), StatusCode: pulumi.String("HTTP_301"),
			},
		}},
		Tags: named(name),
	}, child)
	if err != nil {
		return nil, fmt.Errorf("redirecting listener: %w", err)
	}
	e.balancer.ready = append(e.balancer.ready, redirect)
	return lb.NewListener(ctx, name+"-tls", &lb.ListenerArgs{
		LoadBalancerArn: e.balancer.lb.Arn,
		Port:            pulumi.Int(tlsPort),
		Protocol:        pulumi.String("HTTPS"),
		SslPolicy:       pulumi.String(tlsPolicy),
		CertificateArn:  certificate,
		DefaultActions:  args.defaultAction(),
		Tags:            named(name + "-tls"),
	}, child, after)
}

// defaultAction answers what no rule takes. Behind CloudFront that is everybody who did not come through our distribution:
// the security group admits all of CloudFront's addresses, and anyone can have a distribution.
func (a *EdgeProxyArgs) defaultAction() lb.ListenerDefaultActionArray {
	if a.Balancer.CDN == nil {
		return lb.ListenerDefaultActionArray{&lb.ListenerDefaultActionArgs{
			Type: pulumi.String("forward"), TargetGroupArn: a.App.Pool.targets.Arn,
		}}
	}
	return lb.ListenerDefaultActionArray{&lb.ListenerDefaultActionArgs{
		Type: pulumi.String("fixed-response"),
		FixedResponse: &lb.ListenerDefaultActionFixedResponseArgs{
			StatusCode: pulumi.String("403"), ContentType: pulumi.String("text/plain"), MessageBody: pulumi.String("Forbidden"),
		},
	}}
}

// route sends requests for these paths to a tier. Priorities leave room for others between them.
type route struct {
	name     string
	priority int
	paths    []string
	pool     *Pool
}

func (a *EdgeProxyArgs) routes() []route {
	routes := []route{{"static", 100, staticPaths, a.Static.Pool}}
	if a.Balancer.CDN != nil {
		// What is not static would be left to the default action, which asks for no header.
		routes = append(routes, route{"app", 200, []string{"/*"}, a.App.Pool})
	}
	return routes
}

func (e *EdgeProxy) registerRules(ctx *pulumi.Context, name string, args *EdgeProxyArgs, listener *lb.Listener, after pulumi.ResourceOption) error {
	e.balancer.ready = append(e.balancer.ready, listener)
	for _, r := range args.routes() {
		conditions := lb.ListenerRuleConditionArray{&lb.ListenerRuleConditionArgs{
			PathPattern: &lb.ListenerRuleConditionPathPatternArgs{Values: pulumi.ToStringArray(r.paths)},
		}}
		if cdn := args.Balancer.CDN; cdn != nil {
			conditions = append(conditions, &lb.ListenerRuleConditionArgs{HttpHeader: &lb.ListenerRuleConditionHttpHeaderArgs{
				HttpHeaderName: pulumi.String(originHeader), Values: pulumi.StringArray{cdn.Secret},
			}})
		}
		rule, err := lb.NewListenerRule(ctx, name+"-"+r.name, &lb.ListenerRuleArgs{
			ListenerArn: listener.Arn,
			Priority:    pulumi.Int(r.priority),
			Conditions:  conditions,
			Actions: lb.ListenerRuleActionArray{&lb.ListenerRuleActionArgs{
				Type: pulumi.String("forward"), TargetGroupArn: r.pool.targets.Arn,
			}},
			Tags: named(name + "-" + r.name),
		}, pulumi.Parent(e), after)
		if err != nil {
			return fmt.Errorf("route to the %s tier: %w", r.name, err)
		}
		e.balancer.ready = append(e.balancer.ready, rule)
	}
	return nil
}

// registerNames settles how the world calls the site. It returns what leads visitors to CloudFront, if that is in front.
func (e *EdgeProxy) registerNames(ctx *pulumi.Context, name string, args *EdgeProxyArgs) ([]pulumi.Resource, error) {
	child, self := pulumi.Parent(e), e.balancer.lb
	if args.Domain == nil {
		e.URL = pulumi.Sprintf("http://%s", self.DnsName)
		return nil, nil
	}
	e.URL = pulumi.Sprintf("https://%s", args.Domain.Name)
	if args.Balancer.CDN == nil {
		_, err := newAlias(ctx, name, args.Domain.ZoneID, args.Domain.Name, self.DnsName, self.ZoneId, child)
		return nil, err
	}
	if _, err := newAlias(ctx, name+"-origin", args.Domain.ZoneID, originName(args.Domain), self.DnsName, self.ZoneId, child); err != nil {
		return nil, err
	}
	distribution, err := newDistribution(ctx, name, args, child)
	if err != nil {
		return nil, err
	}
	alias, err := newAlias(ctx, name, args.Domain.ZoneID, args.Domain.Name, distribution.DomainName, distribution.HostedZoneId, child)
	return []pulumi.Resource{alias}, err
}

// newAlias leads a name to a load balancer or a distribution. It costs nothing and follows its target's addresses.
func newAlias(ctx *pulumi.Context, name, zoneID, host string, target, targetZone pulumi.StringInput, parent pulumi.ResourceOption) (*route53.Record, error) {
	record, err := route53.NewRecord(ctx, name, &route53.RecordArgs{
		ZoneId: pulumi.String(zoneID),
		Name:   pulumi.String(host),
		Type:   pulumi.String("A"),
		Aliases: route53.RecordAliasArray{&route53.RecordAliasArgs{
			Name: target, ZoneId: targetZone, EvaluateTargetHealth: pulumi.Bool(false), // there is no second place to go
		}},
	}, parent)
	if err != nil {
		return nil, fmt.Errorf("record %s: %w", host, err)
	}
	return record, nil
}

// dimensions are what CloudWatch knows the load balancer by.
func (e *EdgeProxy) dimensions() pulumi.StringMap {
	return pulumi.StringMap{"LoadBalancer": e.balancer.lb.ArnSuffix}
}

// originName is how CloudFront reaches the load balancer. The certificate covers it from the first day, so that putting
// CloudFront in front replaces nothing.
func originName(domain *Domain) string { return "origin." + domain.Name }

func (a *EdgeProxyArgs) validateBalancer(name string) (p problems) {
	p = append(p, checkPlacement(a.Placement)...)
	p = append(p, checkPoolOf(a.Placement, name)...)
	p = append(p, checkRetention("logRetentionDays", a.LogRetentionDays)...)
	p.unless(a.Static != nil && a.Static.Pool != nil, "static", nil, "give it a StaticTier placed InGroup")
	p.unless(a.App != nil && a.App.Pool != nil, "app", nil, "give it an AppTier placed InGroup")
	p.unless(len(a.SiteCIDRs) > 0, "siteCIDRs", a.SiteCIDRs, "name at least one range that may see the site, such as 0.0.0.0/0")
	p = append(p, checkFlows([]Flow{{Name: "site", Port: sitePort, CIDRs: a.SiteCIDRs}})...)
	if a.Domain != nil {
		p.unless(a.Domain.Name != "" && a.Domain.ZoneID != "", "domain", *a.Domain, "give both the name and its hosted zone's id")
	}
	if a.Balancer == nil {
		p.unless(false, "balancer", nil, "say how the load balancer is to be")
		return p
	}
	if a.Balancer.WebACL != nil {
		p = append(p, a.Balancer.WebACL.validate()...)
	}
	if a.Balancer.CDN != nil {
		p = append(p, a.Balancer.CDN.validate()...)
		p.unless(a.Domain != nil, "balancer: CDN", nil, "give the site a domain: CloudFront reaches the load balancer by a name of it")
	}
	return p
}
