package edge

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// registerNames settles how the world calls the site. It returns what leads visitors to CloudFront, if that is in
// front.
func (b *LoadBalancer) registerNames(
	ctx *pulumi.Context, name string, args *LoadBalancerArgs,
) ([]pulumi.Resource, error) {
	child, self := pulumi.Parent(b), b.Balancer
	if args.Domain == nil {
		b.URL = pulumi.Sprintf("http://%s", self.DnsName)
		return nil, nil
	}
	b.URL = pulumi.Sprintf("https://%s", args.Domain.Name)
	if args.CDN == nil {
		_, err := newAliases(ctx, name, args.Domain, self.DnsName, self.ZoneId, args.Network.DualStack, child)
		return nil, err
	}
	_, err := newAlias(ctx, name+"-origin", "A", args.Domain.ZoneID, originName(args.Domain), self.DnsName, self.ZoneId,
		child)
	if err != nil {
		return nil, err
	}
	distribution, certificate, err := newDistribution(ctx, name, args, b.account, child)
	if err != nil {
		return nil, err
	}
	b.Distribution, b.CDNCertificate = distribution, certificate
	return newAliases(ctx, name, args.Domain, distribution.DomainName, distribution.HostedZoneId, true, child)
}

// newAliases leads the domain to a load balancer or a distribution, those who have IPv6 as well if that has.
func newAliases(
	ctx *pulumi.Context, name string, domain *Domain, target, targetZone pulumi.StringInput, dualStack bool,
	parent pulumi.ResourceOption,
) ([]pulumi.Resource, error) {
	alias, err := newAlias(ctx, name, "A", domain.ZoneID, domain.Name, target, targetZone, parent)
	if err != nil || !dualStack {
		return []pulumi.Resource{alias}, err
	}
	ipv6, err := newAlias(ctx, name+"-ipv6", "AAAA", domain.ZoneID, domain.Name, target, targetZone, parent)
	return []pulumi.Resource{alias, ipv6}, err
}

// newAlias leads a name to a load balancer or a distribution. It costs nothing and follows its target's addresses.
func newAlias(
	ctx *pulumi.Context, name, kind, zoneID, host string, target, targetZone pulumi.StringInput,
	parent pulumi.ResourceOption,
) (*route53.Record, error) {
	record, err := route53.NewRecord(ctx, name, &route53.RecordArgs{
		ZoneId: pulumi.String(zoneID),
		Name:   pulumi.String(host),
		Type:   pulumi.String(kind),
		Aliases: route53.RecordAliasArray{&route53.RecordAliasArgs{
			Name: target, ZoneId: targetZone, EvaluateTargetHealth: pulumi.Bool(false), // there is no second place to go
		}},
	}, parent)
	if err != nil {
		return nil, fmt.Errorf("record %s: %w", host, err)
	}
	return record, nil
}

// originName is how CloudFront reaches the load balancer. The certificate covers it from the first day, so that putting
// CloudFront in front replaces nothing.
func originName(domain *Domain) string { return "origin." + domain.Name }
