package guardrails

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

var networkRules = []*Rule{
	{
		ID: "EC2.2", CIS: "v3.0.0/5.4", Title: "VPC default security groups allow no traffic",
		Source: securityHub("EC2.2"), Types: []string{vpc, defaultGroup},
		check: of(map[string]check{defaultGroup: all(
			none("ingress", "take the rules away: nothing is meant to be in this group"),
			none("egress", "take the rules away: nothing is meant to be in this group"))}),
		whole: of(map[string]check{
			vpc: companion(defaultGroup, "default security group",
				"adopt it with ec2.NewDefaultSecurityGroup, which empties it"),
		}),
	},
	{
		ID: "EC2.6", CIS: "v3.0.0/3.7", Title: "VPC flow logging is on in every VPC",
		Source: securityHub("EC2.6"), Types: []string{vpc, flowLog},
		check: of(map[string]check{flowLog: is("trafficType", "ALL")}),
		whole: of(map[string]check{vpc: companion(flowLog, "flow log", "add an ec2.FlowLog of the VPC")}),
	},
	{
		ID: "EC2.15", Title: "subnets give out no public addresses",
		Source: securityHub("EC2.15"), Types: []string{subnet},
		check: isNot("mapPublicIpOnLaunch", "true", "set it to false, and give an address to what needs one"),
	},
	{
		ID: "EC2.18", Title: "the whole internet may reach only the ports meant for it: 80 and 443",
		Source: securityHub("EC2.18"), Types: []string{ingressRule},
		check: fromAnywhere(func(from, to int) bool { return from == to && slices.Contains(publicPorts, from) },
			"name the ranges that may come in"),
	},
	{
		ID: "EC2.19", Title: "the whole internet reaches no high-risk port",
		Source: securityHub("EC2.19"), Types: []string{ingressRule},
		check: fromAnywhere(func(from, to int) bool { return !holds(from, to, riskyPorts...) },
			"close the port, or name the ranges that may come in"),
	},
	{
		ID: "EC2.21", CIS: "v3.0.0/5.1", Title: "network ACLs let nobody from everywhere to ports 22 and 3389",
		Source: securityHub("EC2.21"),
		Types: []string{
			"aws:ec2/networkAcl:NetworkAcl",
			"aws:ec2/defaultNetworkAcl:DefaultNetworkAcl",
			"aws:ec2/networkAclRule:NetworkAclRule",
		},
		check: accessList,
	},
	{
		ID: "EC2.53", CIS: "v3.0.0/5.2", Title: "nobody administers machines from 0.0.0.0/0",
		Source: securityHub("EC2.53"), Types: []string{ingressRule},
		check: where("cidrIpv4", ports(func(from, to int) bool { return !holds(from, to, adminPorts...) },
			"close the port: machines have no SSH"), "0.0.0.0/0"),
	},
	{
		ID: "EC2.54", CIS: "v3.0.0/5.3", Title: "nobody administers machines from ::/0",
		Source: securityHub("EC2.54"), Types: []string{ingressRule},
		check: where("cidrIpv6", ports(func(from, to int) bool { return !holds(from, to, adminPorts...) },
			"close the port: machines have no SSH"), "::/0"),
	},
	{
		ID: "TWIP-FLOW-1", Title: "security groups have no rules of their own: each flow is a resource",
		Source: "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/security_group#protocol",
		Types:  []string{securityGroup, "aws:ec2/securityGroupRule:SecurityGroupRule"},
		check: of(map[string]check{
			securityGroup: all(none("ingress",
				"use a vpc.SecurityGroupIngressRule for each flow: both kinds together overwrite each other"), none(
				"egress",
				"use a vpc.SecurityGroupEgressRule for each flow: both kinds together overwrite each other")),
			"aws:ec2/securityGroupRule:SecurityGroupRule": never("type",
				"use a vpc.SecurityGroupIngressRule or EgressRule for each flow"),
		}),
	},
	{
		ID: "TWIP-FLOW-2", Title: "a rule is one flow: one TCP port, one other side, and a word on what it is",
		Source: ownDesign, Types: []string{ingressRule, egressRule},
		check: all(is("ipProtocol", "tcp"), ports(func(from, to int) bool { return from == to && from > 0 },
			"name one port, and another rule for another port"), some("description", "say what the traffic is"), oneSide),
	},
	{
		ID: "TWIP-FLOW-3", Title: "only HTTP and TLS may leave for the internet",
		Source: ownDesign, Types: []string{egressRule},
		check: leaving,
	},
}

// ownDesign is where rules of TWIP's own are explained.
const ownDesign = "infra/guardrails/README.md"

var (
	publicPorts = []int{80, 443}
	adminPorts  = []int{22, 3389}
	// riskyPorts are those of EC2.19.
	riskyPorts = []int{
		20,
		21,
		22,
		23,
		25,
		110,
		135,
		143,
		445,
		1433,
		1434,
		3000,
		3306,
		3389,
		4333,
		5000,
		5432,
		5500,
		5601,
		8080,
		8088,
		8888,
		9200,
		9300,
	}
)

// peers are the properties that can name a rule's other side.
var peers = []string{"cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId"}

func oneSide(r *Resource, _ *Graph) []finding {
	named := 0
	for _, peer := range peers {
		if r.at(peer).state != absent {
			named++
		}
	}
	if named == 1 {
		return nil
	}
	return []finding{
		{
			value{
				path:  strings.Join(peers, ", "),
				v:     resource.NewStringProperty(fmt.Sprintf("%d of them", named)),
				state: known,
			},
			"name exactly one of cidrIpv4, cidrIpv6, prefixListId and referencedSecurityGroupId",
		},
	}
}

// ports asks for a rule's ports to be good. Every port is meant where none is named, or a protocol without ports.
func ports(good func(from, to int) bool, wayOut string) check {
	return func(r *Resource, _ *Graph) []finding {
		from, to := r.at("fromPort"), r.at("toPort")
		if from.state == unknown || to.state == unknown {
			return nil
		}
		low, high := 0, 65535
		if from.state == known && to.state == known && from.v.IsNumber() && to.v.IsNumber() {
			low, high = int(from.v.NumberValue()), int(to.v.NumberValue())
		}
		if good(low, high) {
			return nil
		}
		both := value{"fromPort, toPort", resource.NewStringProperty(fmt.Sprintf("%d to %d", low, high)), known}
		return []finding{{both, wayOut}}
	}
}

// fromAnywhere asks for the ports of a rule to be good if the other side is everybody.
func fromAnywhere(good func(from, to int) bool, wayOut string) check {
	return func(r *Resource, g *Graph) (found []finding) {
		for side, everybody := range map[string]string{"cidrIpv4": "0.0.0.0/0", "cidrIpv6": "::/0"} {
			for _, f := range where(side, ports(good, wayOut), everybody)(r, g) {
				f.path = side + ", " + f.path
				f.v = resource.NewStringProperty(everybody + ", ports " + f.text())
				found = append(found, f)
			}
		}
		return found
	}
}

// leaving lets flows to ranges out on publicPorts alone; what goes to another security group stays inside.
func leaving(r *Resource, g *Graph) []finding {
	if r.at("referencedSecurityGroupId").state != absent {
		return nil
	}
	return ports(func(from, to int) bool { return from == to && slices.Contains(publicPorts, from) },
		"send it to a security group, or through HTTP or TLS")(r, g)
}

func holds(from, to int, wanted ...int) bool {
	return slices.ContainsFunc(wanted, func(port int) bool { return from <= port && port <= to })
}

// accessList looks at an ACL's own rules and at a rule on its own, which name the same things.
func accessList(r *Resource, _ *Graph) (found []finding) {
	entries := []*Resource{r}
	for _, entry := range r.each("ingress[]") {
		if entry.state == known && entry.v.IsObject() {
			entries = append(entries, &Resource{Properties: entry.v.ObjectValue()})
		}
	}
	open := ports(func(from, to int) bool { return !holds(from, to, adminPorts...) },
		"take the ports out: machines have no SSH")
	for _, entry := range entries {
		action := entry.at("action").text() + entry.at("ruleAction").text()
		if entry.at("egress").text() == "true" || action != "allow" {
			continue
		}
		for cidr, anyone := range map[string]string{"cidrBlock": "0.0.0.0/0", "ipv6CidrBlock": "::/0"} {
			if entry.at(cidr).text() == anyone {
				found = append(found, open(entry, nil)...)
			}
		}
	}
	return found
}
