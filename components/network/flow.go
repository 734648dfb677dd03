package network

import (
	"errors"
	"net/netip"
	"strings"

	"twip/components/internal/problem"
)

// Everybody's addresses.
const (
	Anywhere     = "0.0.0.0/0" // every IPv4 address
	AnywhereIPv6 = "::/0"      // every IPv6 address
)

// Flow is traffic that is let through: one TCP port from or to each of the ranges.
type Flow struct {
	Name  string   // for people and resource names: what the traffic is
	Port  int      // TCP port
	CIDRs []string // IPv4 or IPv6 ranges of the far side; none closes the flow
}

func (f Flow) validate() (p problem.List) {
	p.Unless(f.Name != "", "flow: name", f.Name, "say what the traffic is")
	p.Unless(f.Port >= 1 && f.Port <= 65535, "flow "+f.Name+": port", f.Port, "use 1 to 65535")
	seen := map[string]bool{}
	for _, cidr := range f.CIDRs {
		prefix, err := netip.ParsePrefix(cidr)
		p.Unless(err == nil && prefix == prefix.Masked(), "flow "+f.Name+": CIDR", cidr,
			"use a range without host bits, such as 203.0.113.0/24 or 2001:db8::/32")
		p.Unless(!seen[cidr], "flow "+f.Name+": CIDR", cidr, "name every range once")
		seen[cidr] = true
	}
	return p
}

// ruleName is the part of a rule's resource name that tells it from its neighbours. It is made of the range and not of
// its position, so that taking one range away leaves the other rules alone.
func ruleName(f Flow, cidr string) string {
	return f.Name + "-" + plainName.Replace(cidr)
}

// plainName keeps what URNs are divided by, two colons, out of names.
var plainName = strings.NewReplacer("/", "-", "::/", "ipv6-", "::", "ipv6-", ":", "-")

// CheckFlows refuses what no rule can say, and two flows of one name, whose rules would have one name too.
func CheckFlows(flows []Flow) (p problem.List) {
	seen := map[string]bool{}
	for _, flow := range flows {
		p = append(p, flow.validate()...)
		if seen[flow.Name] {
			p = append(p,
				errors.New("flow "+flow.Name+": there are two of this name: give every flow a name of its own"))
		}
		seen[flow.Name] = true
	}
	return p
}
