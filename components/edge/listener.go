package edge

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/components/internal/tag"
	"twip/components/tier"
	"twip/infra/guardrails"
)

// registerListeners returns the listener that serves the site: with a domain the one with TLS, to which plain HTTP is
// redirected; without one, plain HTTP.
func (b *LoadBalancer) registerListeners(
	ctx *pulumi.Context, name string, args *LoadBalancerArgs, after pulumi.ResourceOption,
) (*lb.Listener, error) {
	child := pulumi.Parent(b)
	if args.Domain == nil {
		return lb.NewListener(ctx, name, &lb.ListenerArgs{
			LoadBalancerArn: b.Balancer.Arn,
			Port:            pulumi.Int(sitePort),
			Protocol:        pulumi.String("HTTP"),
			DefaultActions:  args.defaultAction(),
			Tags:            tag.Named(name),
		}, child, after, guardrails.Except(ctx, "ELB.1", "there is no certificate without a domain (twip:domain); every "+
			"preview warns of it"))
	}
	certificate, err := newCertificate(ctx, name, args.Domain, []string{args.Domain.Name, originName(args.Domain)},
		false, child)
	if err != nil {
		return nil, err
	}
	b.Certificate = certificate
	listener, err := lb.NewListener(ctx, name+"-tls", &lb.ListenerArgs{
		LoadBalancerArn: b.Balancer.Arn,
		Port:            pulumi.Int(tlsPort),
		Protocol:        pulumi.String("HTTPS"),
		SslPolicy:       pulumi.String(tlsPolicy),
		CertificateArn:  certificate,
		DefaultActions:  args.defaultAction(),

		RoutingHttpResponseStrictTransportSecurityHeaderValue: pulumi.String(strictTransport),
		Tags: tag.Named(name + "-tls"),
	}, child, after)
	if err != nil {
		return nil, fmt.Errorf("listener with TLS: %w", err)
	}
	// A site that gets a domain goes on answering plain HTTP until the listener with TLS is there to be led to; should the
	// certificate not become valid, it just stays as it was.
	redirect, err := lb.NewListener(ctx, name, &lb.ListenerArgs{
		LoadBalancerArn: b.Balancer.Arn,
		Port:            pulumi.Int(sitePort),
		Protocol:        pulumi.String("HTTP"),
		DefaultActions: lb.ListenerDefaultActionArray{&lb.ListenerDefaultActionArgs{
			Type: pulumi.String("redirect"),
			Redirect: &lb.ListenerDefaultActionRedirectArgs{
				Protocol: pulumi.String("HTTPS"), Port: pulumi.String(fmt.Sprint(tlsPort)),
				StatusCode: pulumi.String("HTTP_301"),
			},
		}},
		Tags: tag.Named(name),
	}, child, pulumi.DependsOn([]pulumi.Resource{listener}))
	if err != nil {
		return nil, fmt.Errorf("redirecting listener: %w", err)
	}
	b.Ready = append(b.Ready, redirect)
	return listener, nil
}

// defaultAction answers what no rule takes. Behind CloudFront that is everybody who did not come through our
// distribution: the security group admits all of CloudFront's addresses, and anyone can have a distribution.
func (a *LoadBalancerArgs) defaultAction() lb.ListenerDefaultActionArray {
	if !a.onlyCDN() {
		return lb.ListenerDefaultActionArray{&lb.ListenerDefaultActionArgs{
			Type: pulumi.String("forward"), TargetGroupArn: a.App.TargetGroup.Group.Arn,
		}}
	}
	return lb.ListenerDefaultActionArray{&lb.ListenerDefaultActionArgs{
		Type: pulumi.String("fixed-response"),
		FixedResponse: &lb.ListenerDefaultActionFixedResponseArgs{
			StatusCode: pulumi.String(
				"403"), ContentType: pulumi.String("text/plain"), MessageBody: pulumi.String("Forbidden"),
		},
	}}
}

// route sends requests for these paths to a tier. Priorities leave room for others between them.
type route struct {
	name     string
	priority int
	paths    []string
	servers  *tier.TargetGroup
}

func (a *LoadBalancerArgs) routes() []route {
	routes := []route{{"static", 100, StaticPaths, a.Static.TargetGroup}}
	if a.onlyCDN() {
		// What is not static would be left to the default action, which asks for no header.
		routes = append(routes, route{"app", 200, []string{"/*"}, a.App.TargetGroup})
	}
	return routes
}

func (b *LoadBalancer) registerRules(
	ctx *pulumi.Context, name string, args *LoadBalancerArgs, listener *lb.Listener, after pulumi.ResourceOption,
) error {
	b.Ready = append(b.Ready, listener)
	for _, r := range args.routes() {
		conditions := lb.ListenerRuleConditionArray{&lb.ListenerRuleConditionArgs{
			PathPattern: &lb.ListenerRuleConditionPathPatternArgs{Values: pulumi.ToStringArray(r.paths)},
		}}
		if args.onlyCDN() {
			conditions = append(conditions,
				&lb.ListenerRuleConditionArgs{HttpHeader: &lb.ListenerRuleConditionHttpHeaderArgs{
					HttpHeaderName: pulumi.String(originHeader), Values: args.CDN.accepted(),
				}})
		}
		rule, err := lb.NewListenerRule(ctx, name+"-"+r.name, &lb.ListenerRuleArgs{
			ListenerArn: listener.Arn,
			Priority:    pulumi.Int(r.priority),
			Conditions:  conditions,
			Actions: lb.ListenerRuleActionArray{&lb.ListenerRuleActionArgs{
				Type: pulumi.String("forward"), TargetGroupArn: r.servers.Group.Arn,
			}},
			Tags: tag.Named(name + "-" + r.name),
		}, pulumi.Parent(b), after)
		if err != nil {
			return fmt.Errorf("route to the %s tier: %w", r.name, err)
		}
		b.Ready = append(b.Ready, rule)
	}
	return nil
}
