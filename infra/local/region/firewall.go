package region

import (
	"context"
	"net/netip"
	"reflect"
	"slices"

	"twip/infra/local/computer"
)

// GroupRule is a rule of a security group: what its members may be asked, or may ask.
type GroupRule struct {
	Group    string
	Egress   bool
	Protocol string // tcp, udp; -1: all
	From, To int    // ports
	CIDR     string // of the other side; or
	Peer     string // the group that the other side is in
}

// member is a party to connections that is in security groups.
type member struct {
	address netip.Addr // of mount targets: none, they have one in each zone
	groups  []string
}

// firewall is what the security groups come to. A machine that is in none, as its template says, is let alone: nobody
// told this computer of its groups.
func (d Declared) firewall(machines []member, balancer netip.Addr) computer.Firewall {
	machines = slices.DeleteFunc(slices.Clone(machines), func(m member) bool { return len(m.groups) == 0 })
	slices.SortFunc(machines, func(a, b member) int { return a.address.Compare(b.address) })
	inside := machines
	if balancer.IsValid() && len(d.BalancerGroups) > 0 {
		inside = append(slices.Clip(machines), member{balancer, d.BalancerGroups})
	}
	var f computer.Firewall
	for _, from := range inside {
		f.Inside = append(f.Inside, from.address)
		for _, to := range machines {
			for _, flow := range d.between(from, to) {
				flow.From, flow.To = only(from.address), only(to.address)
				f.Between = append(f.Between, flow)
			}
		}
	}
	for _, m := range machines {
		f.Machines = append(f.Machines, m.address)
		for _, r := range d.rules(m, true) {
			if to, err := netip.ParsePrefix(r.CIDR); err == nil {
				flow := r.flow()
				flow.From, flow.To = only(m.address), to
				f.Out = append(f.Out, flow)
			}
		}
		for _, r := range d.rules(m, false) {
			if from, err := netip.ParsePrefix(r.CIDR); err == nil {
				flow := r.flow()
				flow.From, flow.To = from, only(m.address)
				f.In = append(f.In, flow)
			}
		}
		if len(d.StoreGroups) == 0 || slices.ContainsFunc(d.between(m, member{groups: d.StoreGroups}), serves(nfsPort)) {
			f.Stores = append(f.Stores, m.address)
		}
	}
	return f
}

// setFirewall has the machines keep to their security groups, those of before and those that are new.
func (c *Controller) setFirewall(ctx context.Context) error {
	walled, ok := c.machines.(Firewalled)
	if !ok {
		return nil
	}
	var members []member
	for _, name := range sorted(c.state.Groups) {
		for _, i := range c.state.Groups[name].Instances {
			if address := c.seen[i.ID].Address; address.IsValid() {
				members = append(members,
					member{address, c.declared.Templates[i.Template.ID][i.Template.Version].SecurityGroups})
			}
		}
	}
	f := c.declared.firewall(members, c.lb.address)
	if reflect.DeepEqual(f, c.firewall) {
		return nil
	}
	if err := walled.SetFirewall(ctx, f); err != nil {
		return err
	}
	c.firewall = f
	return nil
}

const nfsPort = 2049

func serves(port int) func(computer.Flow) bool {
	return func(f computer.Flow) bool { return f.Ports == [2]int{} || f.Ports[0] <= port && port <= f.Ports[1] }
}

func only(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }

// rules are those that apply to a member, to what it asks or to what it is asked.
func (d Declared) rules(m member, egress bool) (all []GroupRule) {
	for _, r := range d.Rules {
		if r.Egress == egress && slices.Contains(m.groups, r.Group) {
			all = append(all, r)
		}
	}
	return all
}

// between are the flows that both sides let through.
func (d Declared) between(from, to member) (flows []computer.Flow) {
	for _, out := range d.rules(from, true) {
		if !out.meets(to) {
			continue
		}
		for _, in := range d.rules(to, false) {
			if in.meets(from) {
				if flow, ok := both(out.flow(), in.flow()); ok {
					flows = append(flows, flow)
				}
			}
		}
	}
	return flows
}

// meets says whether a member is the other side of a rule.
func (r GroupRule) meets(other member) bool {
	cidr, err := netip.ParsePrefix(r.CIDR)
	return r.Peer != "" && slices.Contains(other.groups, r.Peer) || err == nil && cidr.Contains(other.address)
}

func (r GroupRule) flow() computer.Flow {
	if r.Protocol == "-1" { // which has no ports
		return computer.Flow{}
	}
	return computer.Flow{Protocol: r.Protocol, Ports: [2]int{r.From, r.To}}
}

// both is what two rules let through together.
func both(a, b computer.Flow) (computer.Flow, bool) {
	switch {
	case a.Protocol == "":
		return b, true
	case b.Protocol == "":
		return a, true
	case a.Protocol != b.Protocol:
		return a, false
	}
	a.Ports = [2]int{max(a.Ports[0], b.Ports[0]), min(a.Ports[1], b.Ports[1])}
	return a, a.Ports[0] <= a.Ports[1]
}
