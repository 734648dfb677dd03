package guardrails

import "slices"

var balancerRules = []*Rule{
	{
		ID: "ELB.1", Title: "load balancers redirect HTTP to HTTPS",
		Source: securityHub("ELB.1"), Types: []string{listener},
		check: where("protocol",
			all(is("defaultActions[].type", "redirect"), is("defaultActions[].redirect.protocol", "HTTPS")), "HTTP"),
	},
	{
		ID: "ELB.4", Title: "load balancers drop invalid headers",
		Source: securityHub("ELB.4"), Types: []string{balancer},
		check: is("dropInvalidHeaderFields", "true"),
	},
	{
		ID: "ELB.5", Title: "load balancers keep access logs",
		Source: securityHub("ELB.5"), Types: []string{balancer},
		check: all(is("accessLogs.enabled", "true"), some("accessLogs.bucket", "name a bucket")),
	},
	{
		ID: "ELB.6", Title: "load balancers are protected from deletion",
		Source: securityHub("ELB.6"), Types: []string{balancer},
		check: is("enableDeletionProtection", "true"),
	},
	{
		ID: "ELB.12", Title: "load balancers defend against request smuggling",
		Source: securityHub("ELB.12"), Types: []string{balancer},
		check: oneOf("desyncMitigationMode", "defensive", "strictest"),
	},
	{
		ID: "ELB.13", Title: "load balancers stand in several availability zones",
		Source: securityHub("ELB.13"), Types: []string{balancer},
		check: items("subnets", 2, "name a subnet in each of two zones or more"),
	},
	{
		ID: "ELB.16", Title: "load balancers have a web application firewall in front",
		Source: securityHub("ELB.16"), Types: []string{balancer},
		whole: companion(aclAssociation, "web ACL", "associate one"),
	},
	{
		ID: "ELB.17", Title: "listeners with TLS use a recommended policy",
		Source: securityHub("ELB.17"), Types: []string{listener},
		check: where("protocol",
			oneOf("sslPolicy", "ELBSecurityPolicy-TLS13-1-2-2021-06", "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
				"ELBSecurityPolicy-TLS13-1-3-2021-06"), "HTTPS", "TLS"),
	},
	{
		ID: "TWIP-EDGE-1", Title: "load balancers close idle connections before servers do",
		Source: "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html#connection-idle-timeout",
		Types:  []string{balancer},
		check:  number("idleTimeout", 1, 74),
	},
	{
		ID: "TWIP-EDGE-2", Title: "certificates renew themselves: they are proved by DNS",
		Source: "https://docs.aws.amazon.com/acm/latest/userguide/dns-renewal-validation.html", Types: []string{"aws:acm/certificate:Certificate"},
		check: is("validationMethod", "DNS"),
	},
	{
		ID: "TWIP-EDGE-4", Title: "load balancers for the internet have IPv6 addresses as well",
		Source: "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html#ip-address-type",
		Types:  []string{balancer},
		check:  where("internal", is("ipAddressType", "dualstack"), "false"),
	},
	{
		ID: "TWIP-EDGE-5", Title: "a zone that fails can be taken out of the load balancer's addresses",
		Source: "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/zonal-shift.html", Types: []string{balancer},
		check: is("enableZonalShift", "true"),
	},
	{
		ID: "TWIP-EDGE-6", Title: "listeners with TLS tell browsers to come by TLS only",
		Source: "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/header-modification.html", Types: []string{listener},
		check: where("protocol",
			some("routingHttpResponseStrictTransportSecurityHeaderValue", "send max-age=31536000"), "HTTPS"),
	},
	{
		ID: "WAF.10", Title: "web ACLs have rules",
		Source: securityHub("WAF.10"), Types: []string{webACL},
		check: items("rules", 1, "add the managed rule groups"),
	},
	{
		ID: "WAF.11", Title: "web ACLs write down whom they refuse",
		Source: securityHub("WAF.11"), Types: []string{webACL},
		whole: companion(aclLogging, "log", "add a wafv2.WebAclLoggingConfiguration",
			some("logDestinationConfigs", "name a log group")),
	},
	{
		ID: "WAF.12", Title: "rules of web ACLs are counted in CloudWatch",
		Source: securityHub("WAF.12"), Types: []string{webACL},
		check: all(is("visibilityConfig.cloudwatchMetricsEnabled", "true"),
			is("rules[].visibilityConfig.cloudwatchMetricsEnabled", "true")),
	},
	{
		ID: "TWIP-WAF-1", Title: "the web ACL stops floods, and what Struts 2.1 is known to be open to",
		Source: "https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html", Types: []string{webACL},
		check: all(anyOf("rules[].statement.managedRuleGroupStatement.name", "AWSManagedRulesKnownBadInputsRuleSet"),
			anyOf("rules[].statement.managedRuleGroupStatement.name", "AWSManagedRulesCommonRuleSet"),
			anySet("rules[].statement.rateBasedStatement.limit", "add a rule that limits requests per address"),
			blocking),
	},
	{
		ID: "TWIP-WAF-2", Title: "visitors come after the web ACL: no listener is there before it is",
		Source: ownDesign, Types: []string{listener},
		whole: afterWebACL,
	},
	{
		ID: "Route53.2", Title: "public hosted zones log queries",
		Source: securityHub("Route53.2"), Types: []string{"aws:route53/zone:Zone"},
		whole: companion("aws:route53/queryLog:QueryLog", "query log", "add a route53.QueryLog of the zone"),
	},
}

// afterWebACL asks that a listener waits for the web ACL of its load balancer. One that only redirects lets nobody in.
func afterWebACL(r *Resource, g *Graph) []finding {
	if len(is("defaultActions[].type", "redirect")(r, g)) == 0 {
		return nil
	}
	for _, owner := range g.used(r, balancer) {
		for _, link := range g.users(owner, aclAssociation) {
			if !r.uses(link) {
				return []finding{{value{path: "dependsOn"}, "declare pulumi.DependsOn of the web ACL's association"}}
			}
		}
	}
	return nil
}

// anyOf asks for one element of a list to have this value.
func anyOf(path, want string) check {
	return anyWhere(path, func(v value) bool { return v.text() == want }, "have "+want+" among them")
}

// anySet asks for one element of a list to have something there.
func anySet(path, wayOut string) check {
	return anyWhere(path, func(v value) bool { return v.size() > 0 }, wayOut)
}

func anyWhere(path string, good func(value) bool, wayOut string) check {
	return func(r *Resource, _ *Graph) []finding {
		if slices.ContainsFunc(r.each(path), func(v value) bool { return v.state == unknown || good(v) }) {
			return nil
		}
		return []finding{{value{path: path}, wayOut}}
	}
}

// blocking refuses rules of a web ACL that only count. Amazon's common rules may: they refuse honest people as well.
func blocking(r *Resource, _ *Graph) (found []finding) {
	names, groups := r.each("rules[].name"), r.each("rules[].statement.managedRuleGroupStatement.name")
	for i, override := range r.each("rules[].overrideAction.count") {
		if override.v.IsObject() && groups[i].text() != "AWSManagedRulesCommonRuleSet" {
			found = append(found, finding{override, "use none: a rule group that only counts stops nothing"})
		}
	}
	for i, action := range r.each("rules[].action.count") {
		if action.v.IsObject() {
			found = append(found, finding{action, "use block: rule " + names[i].text() + " only counts, and stops nothing"})
		}
	}
	return found
}
