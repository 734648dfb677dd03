package edge

import (
	"fmt"
	"net/netip"
	"strings"

	"twip/components/internal/logs"
	"twip/components/internal/problem"
	"twip/components/internal/tag"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// WebACLArgs describe the web application firewall in front of the site.
type WebACLArgs struct {
	RequestsPer5Minutes int      // most requests of one address in five minutes, 10 to 2,000,000,000; the rest is refused
	LogRetentionDays    int      // required; how long it is known who was refused; one of components.LogRetentionDays
	Uncounted           []string // IPv4 ranges whose requests are not counted: one's own networks; at most 10,000
}

// webACL and its association are registered untyped: compiling the SDK's package for them takes tens of gigabytes.
// https://www.pulumi.com/registry/packages/aws/api-docs/wafv2/webacl/
type webACL struct {
	pulumi.CustomResourceState
	Arn pulumi.StringOutput `pulumi:"arn"`
}

// webACLPlace is where a web ACL stands.
type webACLPlace struct {
	scope   string   // regional or global
	account string   // number of the account that it is in
	cdn     *CDNArgs // of a CDN by whose way visitors come as well; nil: there is none, or the web ACL stands there
}

const (
	regional = "REGIONAL"   // before a load balancer
	global   = "CLOUDFRONT" // before a distribution; lives in us-east-1
)

// managedRuleGroups are Amazon's, in the order in which they are asked, and what comes of a match. The common rules are
// counted and not obeyed: among others they refuse every body over 8 KiB, which is an article of a thousand words.
// https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html
var managedRuleGroups = []struct{ name, override string }{
	{"AWSManagedRulesKnownBadInputsRuleSet", "none"},
	{"AWSManagedRulesCommonRuleSet", "count"},
}

// newWebACL creates a web ACL. Where visitors come by way of a CDN as well, it leaves counting those to the CDN's own:
// here they would be many at one address.
func newWebACL(
	ctx *pulumi.Context, name string, args *WebACLArgs, at webACLPlace, options ...pulumi.ResourceOption,
) (*webACL, error) {
	acl := &webACL{}
	own, err := args.newIPSet(ctx, name, at.scope, options...)
	if err != nil {
		return nil, err
	}
	err = ctx.RegisterResource("aws:wafv2/webAcl:WebAcl", name, pulumi.Map{
		"scope":            pulumi.String(at.scope),
		"defaultAction":    pulumi.Map{"allow": pulumi.Map{}},
		"rules":            args.rules(at.cdn, own),
		"visibilityConfig": visible("site"), // All and Default_Action are AWS's own names
		"tags":             tag.Named(name),
	}, acl, options...)
	if err != nil {
		return nil, fmt.Errorf("web ACL: %w", err)
	}
	return acl, acl.log(ctx, name, at.account, args.LogRetentionDays, options...)
}

// newIPSet creates the set of one's own networks, nil without any.
func (a *WebACLArgs) newIPSet(
	ctx *pulumi.Context, name, scope string, options ...pulumi.ResourceOption,
) (*webACL, error) {
	if len(a.Uncounted) == 0 {
		return nil, nil
	}
	set := &webACL{}
	if err := ctx.RegisterResource("aws:wafv2/ipSet:IpSet", name+"-uncounted", pulumi.Map{
		"scope": pulumi.String(scope), "ipAddressVersion": pulumi.String("IPV4"),
		"addresses": pulumi.ToStringArray(a.Uncounted), "tags": tag.Named(name + "-uncounted"),
	}, set, options...); err != nil {
		return nil, fmt.Errorf("networks that the web ACL does not count: %w", err)
	}
	return set, nil
}

// protect puts the web ACL before a load balancer, and returns what has to be there before anyone is let in.
func (w *webACL) protect(
	ctx *pulumi.Context, name string, balancer pulumi.StringInput, parent pulumi.ResourceOption,
) (pulumi.Resource, error) {
	link := &pulumi.CustomResourceState{}
	if err := ctx.RegisterResource("aws:wafv2/webAclAssociation:WebAclAssociation", name, pulumi.Map{
		"resourceArn": balancer, "webAclArn": w.Arn,
	}, link, parent); err != nil {
		return nil, fmt.Errorf("association of the web ACL: %w", err)
	}
	return link, nil
}

// rules refuse floods first, since every later rule costs more to ask.
func (a *WebACLArgs) rules(cdn *CDNArgs, own *webACL) pulumi.Array {
	rules := pulumi.Array{pulumi.Map{
		"name": pulumi.String("rate"), "priority": pulumi.Int(0),
		"action":           pulumi.Map{"block": pulumi.Map{}},
		"statement":        pulumi.Map{"rateBasedStatement": a.rate(cdn, own)},
		"visibilityConfig": visible("rate"),
	}, pulumi.Map{
		"name": pulumi.String("ognl"), "priority": pulumi.Int(1),
		"action":           pulumi.Map{"block": pulumi.Map{}},
		"statement":        ognlRule(),
		"visibilityConfig": visible("ognl"),
	}}
	for i, group := range managedRuleGroups {
		rules = append(rules, pulumi.Map{
			"name": pulumi.String(group.name), "priority": pulumi.Int(i + 2),
			"overrideAction": pulumi.Map{group.override: pulumi.Map{}},
			"statement": pulumi.Map{
				"managedRuleGroupStatement": pulumi.Map{
					"vendorName": pulumi.String("AWS"),
					"name":       pulumi.String(group.name),
				},
			},
			"visibilityConfig": visible(group.name),
		})
	}
	return rules
}

// rate counts the requests of each address that an application server has to answer.
func (a *WebACLArgs) rate(cdn *CDNArgs, own *webACL) pulumi.Map {
	var uncounted pulumi.Array
	for _, path := range StaticPaths {
		uncounted = append(uncounted, match(pulumi.String(strings.TrimSuffix(path, "*")), "STARTS_WITH",
			pulumi.Map{"uriPath": pulumi.Map{}}))
	}
	if cdn != nil {
		for _, secret := range cdn.accepted() {
			uncounted = append(uncounted, match(secret, "EXACTLY",
				header(strings.ToLower(originHeader))))
		}
	}
	if own != nil {
		uncounted = append(uncounted, pulumi.Map{"ipSetReferenceStatement": pulumi.Map{"arn": own.Arn}})
	}
	return pulumi.Map{
		"limit": pulumi.Int(a.RequestsPer5Minutes), "aggregateKeyType": pulumi.String("IP"),
		"scopeDownStatement": pulumi.Map{"notStatement": pulumi.Map{"statements": pulumi.Array{
			pulumi.Map{"orStatement": pulumi.Map{"statements": uncounted}},
		}}},
	}
}

// match is a statement that a part of a request is, as it was sent, this text or begins with it.
func match(text pulumi.StringInput, how string, field pulumi.Map) pulumi.Map {
	return pulumi.Map{"byteMatchStatement": pulumi.Map{
		"searchString": text, "positionalConstraint": pulumi.String(how), "fieldToMatch": field,
		"textTransformations": pulumi.Array{pulumi.Map{"priority": pulumi.Int(0), "type": pulumi.String("NONE")}},
	}}
}

func visible(metric string) pulumi.Map {
	return pulumi.Map{
		"metricName":               pulumi.String(metric),
		"cloudwatchMetricsEnabled": pulumi.Bool(true),
		"sampledRequestsEnabled":   pulumi.Bool(true),
	}
}

func (a *WebACLArgs) validate() (p problem.List) {
	p.Unless(a.RequestsPer5Minutes >= 10 && a.RequestsPer5Minutes <= 2_000_000_000, "webACL: requestsPer5Minutes",
		a.RequestsPer5Minutes, "use 10 to 2000000000")
	for _, cidr := range a.Uncounted {
		prefix, err := netip.ParsePrefix(cidr)
		p.Unless(err == nil && prefix.Addr().Is4() && prefix.Bits() > 0, "webACL: uncounted", cidr,
			"use IPv4 ranges smaller than the world, such as 198.51.100.0/24")
	}
	return append(p, logs.CheckRetention("webACL: logRetentionDays", a.LogRetentionDays)...)
}
