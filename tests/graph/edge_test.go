package graph

import (
	"encoding/json"
	"fmt"
	"strings"
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

// sentAndAccepted are the secrets that CloudFront sends and that the load balancer takes; nil takes everything.
func sentAndAccepted(t *testing.T, g *Graph) (sent string, accepted []any) {
	t.Helper()
	origin := g.At(t, g.Of(t, cdnType)[0], "origins[0].customHeaders[0]").(map[string]any)
	require.Equal(t, "X-Twip-Origin", origin["name"])
	for _, rule := range g.Of(t, ruleType) {
		conditions := g.At(t, rule, "conditions").([]any)
		if len(conditions) == 1 {
			require.Equal(t, "forward", g.At(t, g.One(t, listenerType, "twip-prod-edge-tls"), "defaultActions[0].type"))
			return origin["value"].(string), nil
		}
		header := conditions[1].(map[string]any)["httpHeader"].(map[string]any)
		require.Equal(t, "X-Twip-Origin", header["httpHeaderName"])
		if accepted != nil {
			require.Equal(t, accepted, header["values"], "rules differ")
		}
		accepted = header["values"].([]any)
		values := len(accepted)
		for _, path := range conditions[0].(map[string]any)["pathPattern"].(map[string]any)["values"].([]any) {
			require.NotEmpty(t, path)
			values++
		}
		require.LessOrEqual(t, values, 5, "values that a rule takes")
	}
	return origin["value"].(string), accepted
}

// On every step of the way to the world and of a new secret, whatever CloudFront's edges send before and after it is
// accepted before and after it: an edge may follow minutes later than the load balancer, or earlier.
func TestProdRefusesNobodyWhileSecretsChange(t *testing.T) {
	other := strings.Repeat("fedcba9876543210", 4)
	steps := []map[string]string{
		bothWays,
		{},
		{"twip:cdnSecretAlso": other},
		{"twip:cdnSecret": other, "twip:cdnSecretAlso": worldwide["twip:cdnSecret"]},
		{"twip:cdnSecret": other},
	}
	sentBefore, acceptedBefore := "", []any(nil)
	for i, step := range steps {
		sent, accepted := sentAndAccepted(t, prod(t, named, worldwide, step))
		require.Equal(t, i == 0, accepted == nil, "step %d", i)
		for _, taken := range [][]any{acceptedBefore, accepted} {
			if taken != nil {
				require.Contains(t, taken, sent, "step %d", i)
			}
		}
		if accepted != nil {
			require.Contains(t, accepted, sentBefore, "step %d", i)
		}
		sentBefore, acceptedBefore = sent, accepted
	}
	require.Equal(t, other, sentBefore)
}

// While visitors come both ways, each way has a web ACL, and the load balancer's does not take CloudFront's addresses for
// busy visitors; when one way is left, so is one web ACL.
func TestProdGuardsBothWays(t *testing.T) {
	g := prod(t, named, worldwide, bothWays)
	require.Len(t, g.Of(t, aclType), 2)
	acl := g.One(t, aclType, "twip-prod-edge")
	require.Equal(t, "REGIONAL", g.At(t, acl, "scope"))
	require.True(t, acl.Inputs["rules"].ContainsSecrets(), "the secret is readable in the state")
	tls := g.One(t, listenerType, "twip-prod-edge-tls")
	require.True(t, g.Waits(tls, g.One(t, "aws:wafv2/webAclAssociation:WebAclAssociation", "twip-prod-edge")))
	require.Contains(t, strings.Join(g.Messages, "\n"), "cdnBothWays is true")
	limited := func(acl *Node, r request) bool {
		rule := Plain(acl.Inputs["rules"]).([]any)[0].(map[string]any)
		rate := rule["statement"].(map[string]any)["rateBasedStatement"].(map[string]any)
		return holds(t, rate["scopeDownStatement"].(map[string]any), r)
	}
	require.True(t, limited(acl, request{path: "/Read.action"}))
	require.True(t, limited(acl, request{path: "/Read.action", origin: "guessed"}))
	require.False(t, limited(acl, request{path: "/Read.action", origin: worldwide["twip:cdnSecret"]}))

	g = prod(t, named, worldwide)
	require.Len(t, g.Of(t, aclType), 1)
	require.True(t, limited(g.Of(t, aclType)[0], request{path: "/Read.action", origin: worldwide["twip:cdnSecret"]}),
		"at CloudFront everybody may send anything")
	require.False(t, limited(g.Of(t, aclType)[0], request{path: "/styles/site.css"}), "a page is one request, whatever is on it")
	require.True(t, limited(g.Of(t, aclType)[0], request{path: "/stylesheet"}))
}

// Amazon's common rules refuse every body of more than 8 KiB, an article of a thousand words: they count and let through.
func TestProdLetsLongPostsThrough(t *testing.T) {
	overrides := map[string]any{
		"AWSManagedRulesCommonRuleSet":         map[string]any{"count": map[string]any{}},
		"AWSManagedRulesKnownBadInputsRuleSet": map[string]any{"none": map[string]any{}},
	}
	for name, steps := range prodShapes {
		for _, acl := range prod(t, steps...).of(aclType) {
			for _, rule := range Plain(acl.Inputs["rules"]).([]any) {
				rule := rule.(map[string]any)
				require.Equal(t, overrides[rule["name"].(string)], rule["overrideAction"], "%s: %s: %v", name, acl.Name, rule["name"])
			}
		}
	}
}

// Whoever is refused can be told why, wherever the web ACL stands, and their cookies are not written down.
func TestProdSaysWhoWasRefused(t *testing.T) {
	for name, steps := range prodShapes {
		g := prod(t, steps...)
		for _, acl := range g.of(aclType) {
			logging := g.One(t, "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration", acl.Name+"-refused")
			group := g.One(t, logGroupType, acl.Name+"-refused")
			require.Equal(t, Plain(acl.Outputs["arn"]), g.At(t, logging, "resourceArn"), name)
			require.Equal(t, []any{Plain(group.Outputs["arn"])}, g.At(t, logging, "logDestinationConfigs"))
			require.Equal(t, "aws-waf-logs-"+acl.Name+"-refused", g.At(t, group, "name"), "AWS takes no other")
			require.Equal(t, "DROP", g.At(t, logging, "loggingFilter.defaultBehavior"))
			require.Equal(t, "BLOCK", g.At(t, logging, "loggingFilter.filters[0].conditions[0].actionCondition.action"))
			require.Equal(t, "cookie", g.At(t, logging, "redactedFields[0].singleHeader.name"))
			require.True(t, g.Waits(logging, g.One(t, "aws:cloudwatch/logResourcePolicy:LogResourcePolicy", acl.Name+"-refused")))
			query := g.One(t, "aws:cloudwatch/queryDefinition:QueryDefinition", acl.Name+"-refused")
			require.Equal(t, []any{group.ID}, g.At(t, query, "logGroupNames"))
			for _, node := range []*Node{logging, group, query} {
				require.Equal(t, acl.Provider, node.Provider, "%s: in the region of the web ACL", node.Name)
			}
		}
	}
}

// One's own networks are not counted, but what they send is looked at.
func TestProdDoesNotCountOwnNetworks(t *testing.T) {
	g := prod(t, named, uncounted)
	set, acl := g.Of(t, "aws:wafv2/ipSet:IpSet")[0], g.Of(t, aclType)[0]
	require.Equal(t, []any{"198.51.100.0/24"}, g.At(t, set, "addresses"))
	require.Equal(t, g.At(t, acl, "scope"), g.At(t, set, "scope"))
	statements := g.At(t, acl, "rules[0].statement.rateBasedStatement.scopeDownStatement.notStatement.statements[0].orStatement.statements")
	require.Contains(t, statements, map[string]any{"ipSetReferenceStatement": map[string]any{"arn": Plain(set.Outputs["arn"])}})
	for _, rule := range Plain(acl.Inputs["rules"]).([]any)[1:] {
		require.NotContains(t, fmt.Sprint(rule), "ipSetReferenceStatement")
	}
}

// The CDN keeps versions of a file apart, and forgets static files when their servers have been replaced.
func TestProdCachesVersions(t *testing.T) {
	g := prod(t, named, worldwide)
	cache, cdn := g.Of(t, "aws:cloudfront/cachePolicy:CachePolicy")[0], g.Of(t, cdnType)[0]
	for _, behavior := range g.At(t, cdn, "orderedCacheBehaviors").([]any) {
		require.Equal(t, cache.ID, behavior.(map[string]any)["cachePolicyId"])
	}
	input := func(g *Graph, group string) map[string]any {
		var request map[string]any
		require.NoError(t, json.Unmarshal([]byte(g.At(t, g.One(t, rolloutType, group), "input").(string)), &request))
		return request
	}
	static := input(g, "twip-prod-static-group")
	require.Equal(t, cdn.ID, static["distribution"])
	require.Equal(t, []any{"/styles/*", "/images/*"}, static["paths"])
	may := g.At(t, g.One(t, policyType, "twip-prod-static-group-rollout"), "policy")
	require.Contains(t, may, `"cloudfront:CreateInvalidation"],"Resource":["`+Plain(cdn.Outputs["arn"]).(string)+`"]`)

	require.NotContains(t, input(g, "twip-prod-app-group"), "distribution", "pages are not kept")
	require.NotContains(t, input(prod(t, named), "twip-prod-static-group"), "distribution", "there is no CDN")
}

// The site is looked at from outside where everyone may see it, and nowhere else: a check that cannot come in only alarms.
func TestProdIsWatchedFromOutside(t *testing.T) {
	const check = "aws:route53/healthCheck:HealthCheck"
	for name, tc := range map[string]struct {
		steps []map[string]string
		want  bool
	}{
		"no domain":  {nil, false},
		"for a few":  {[]map[string]string{named, {"twip:siteCidrs": `["203.0.113.0/24"]`}}, false},
		"for all":    {[]map[string]string{named}, true},
		"with a CDN": {[]map[string]string{named, worldwide}, true},
	} {
		t.Run(name, func(t *testing.T) {
			g := prod(t, tc.steps...)
			require.Equal(t, tc.want, g.Has(check))
			if !tc.want {
				return
			}
			asked := g.Of(t, check)[0]
			require.Equal(t, "news.example.com", g.At(t, asked, "fqdn"))
			away := g.One(t, alarmType, "twip-prod-outside-away")
			require.Equal(t, asked.ID, g.At(t, away, "dimensions.HealthCheckId"))
			require.Equal(t, asked.Provider, away.Provider)
			require.Contains(t, away.Provider, "aws-us-east-1", "the metrics of what is worldwide are there only")
			for _, group := range g.Of(t, groupType) {
				require.True(t, g.Waits(asked, group), "it begins when the site can answer")
			}
		})
	}
}
