package graph

import (
	"testing"

	"github.com/stretchr/testify/require"

	"twip/stacks"
)

// Readers with IPv6 reach whatever the others reach, and no more: where a list of ranges says who may see the site, nobody
// else comes in by IPv6.
func TestProdIPv6(t *testing.T) {
	ways := func(g *Graph) (ports []any) {
		edge := g.One(t, securityType, "twip-prod-edge")
		for _, rule := range g.Of(t, ingressType) {
			if g.At(t, rule, "securityGroupId") == edge.ID && rule.Inputs["cidrIpv6"].HasValue() {
				require.Equal(t, "::/0", g.At(t, rule, "cidrIpv6"))
				ports = append(ports, g.At(t, rule, "fromPort"))
			}
		}
		return ports
	}
	records := func(g *Graph) (kinds []any) {
		for _, record := range g.Of(t, recordType) {
			if g.At(t, record, "name") == "news.example.com" {
				kinds = append(kinds, g.At(t, record, "type"))
			}
		}
		return kinds
	}
	g := prod(t, named)
	balancer := g.One(t, balancerType, "twip-prod-edge")
	require.Equal(t, "dualstack", g.At(t, balancer, "ipAddressType"))
	require.ElementsMatch(t, []any{80.0, 443.0}, ways(g))
	require.ElementsMatch(t, []any{"A", "AAAA"}, records(g))
	require.True(t, g.Waits(balancer, g.One(t, "aws:ec2/route:Route", "twip-prod-network-public-ipv6")))
	for _, subnet := range g.Of(t, subnetType) {
		_, has := subnet.Inputs["ipv6CidrBlock"]
		require.Equal(t, has, subnet.Name == "twip-prod-network-public-eu-central-1a" || subnet.Name == "twip-prod-network-public-eu-central-1b",
			"%s: machines have no IPv6, load balancers do", subnet.Name)
	}

	require.Empty(t, ways(prod(t, named, map[string]string{"twip:siteCidrs": `["203.0.113.0/24"]`})))
	existing := prod(t, append(prodShapes["existing VPC"], named)...)
	require.Equal(t, "ipv4", existing.At(t, existing.One(t, balancerType, "twip-prod-edge"), "ipAddressType"))
	require.Empty(t, ways(existing))
	require.ElementsMatch(t, []any{"A"}, records(existing))

	public := prod(t, named, worldwide)
	require.Empty(t, ways(public), "CloudFront comes by IPv4")
	require.ElementsMatch(t, []any{"A", "AAAA"}, records(public))
}

// A rule for everybody is two: the sixtieth is the last that a security group takes.
func TestProdCountsRulesForIPv6(t *testing.T) {
	everyone := map[string]string{"twip:siteCidrs": `["0.0.0.0/0",` + manyRanges(59)[1:]}
	_, err := RunStack("prod", prodConfig(t, everyone), stacks.Program)
	require.ErrorContains(t, err, "a security group takes 60 rules")
	everyone["twip:siteCidrs"] = `["0.0.0.0/0",` + manyRanges(58)[1:]
	_, err = RunStack("prod", prodConfig(t, everyone), stacks.Program)
	require.NoError(t, err)
}
