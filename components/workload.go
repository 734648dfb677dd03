package components

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"

	"twip/infra/boot"
)

// Workload is what a tier asks of the machine that runs it.
type Workload struct {
	Containers []Container // started in this order
	Ingress    []Flow      // what may reach the machine because of them
}

// Container is a container whose image and log group are known only once they exist.
type Container struct {
	Spec     boot.Container // its Image and LogGroup stay empty: they are filled in from the two below
	Image    *Image
	LogGroup *cloudwatch.LogGroup
}

// Flow is traffic that is let through: one TCP port from or to each of the ranges.
type Flow struct {
	Name  string   // for people and resource names: what the traffic is
	Port  int      // TCP port
	CIDRs []string // IPv4 ranges of the far side; none closes the flow
}

func (f Flow) validate() (p problems) {
	p.unless(f.Name != "", "flow: name", f.Name, "say what the traffic is")
	p.unless(f.Port >= 1 && f.Port <= 65535, "flow "+f.Name+": port", f.Port, "use 1 to 65535")
	seen := map[string]bool{}
	for _, cidr := range f.CIDRs {
		prefix, err := netip.ParsePrefix(cidr)
		p.unless(err == nil && prefix.Addr().Is4() && prefix == prefix.Masked(), "flow "+f.Name+": CIDR", cidr,
			"use an IPv4 range without host bits, such as 203.0.113.0/24")
		p.unless(!seen[cidr], "flow "+f.Name+": CIDR", cidr, "name every range once")
		seen[cidr] = true
	}
	return p
}

// ruleName is the part of a rule's resource name that tells it from its neighbours. It is made of the range and not of
// its position, so that taking one range away leaves the other rules alone.
func ruleName(f Flow, cidr string) string {
	return fmt.Sprintf("%s-%s", f.Name, strings.ReplaceAll(cidr, "/", "-"))
}
