package region

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"twip/infra/local/computer"
)

func TestFirewall(t *testing.T) {
	app, other, static, balancer := netip.MustParseAddr("10.0.0.5"), netip.MustParseAddr("10.0.0.6"),
		netip.MustParseAddr("10.0.0.7"), netip.MustParseAddr("10.0.0.2")
	tcp := func(group string, egress bool, port int, cidr, peer string) GroupRule {
		return GroupRule{Group: group, Egress: egress, Protocol: "tcp", From: port, To: port, CIDR: cidr, Peer: peer}
	}
	d := Declared{
		BalancerGroups: []string{"edge"}, StoreGroups: []string{"store"},
		Rules: []GroupRule{
			tcp("edge", true, 8080, "", "app"), tcp("app", false, 8080, "", "edge"),
			tcp("edge", true, 8080, "", "static"),      // the static machines do not let it in
			tcp("app", false, 8082, "10.0.0.2/32", ""), // and the load balancer may not ask
			tcp("app", true, 8080, "", "app"), tcp("app", false, 8080, "", "app"),
			tcp("app", true, 2049, "", "store"), tcp("store", false, 2049, "", "app"),
			tcp("static", true, 443, "0.0.0.0/0", ""), tcp("static", false, 22, "192.0.2.0/24", ""),
			{Group: "static", Egress: true, Protocol: "-1", CIDR: "198.51.100.0/24"},
		},
	}
	members := []member{{static, []string{"static"}}, {app, []string{"app"}}, {other, []string{"app"}},
		{netip.MustParseAddr("10.0.0.9"), nil}}
	f := d.firewall(members, balancer)
	require.Equal(t, []netip.Addr{app, other, static}, f.Machines, "one without groups is let alone")
	require.Equal(t, []netip.Addr{app, other, static, balancer}, f.Inside)
	require.Equal(t, []netip.Addr{app, other}, f.Stores)
	show := func(flows []computer.Flow) (all []string) {
		for _, flow := range flows {
			all = append(all, fmt.Sprintf("%s %s %s %d-%d", flow.From, flow.To, flow.Protocol, flow.Ports[0], flow.Ports[1]))
		}
		return all
	}
	require.Equal(t, []string{
		"10.0.0.5/32 10.0.0.5/32 tcp 8080-8080", "10.0.0.5/32 10.0.0.6/32 tcp 8080-8080",
		"10.0.0.6/32 10.0.0.5/32 tcp 8080-8080", "10.0.0.6/32 10.0.0.6/32 tcp 8080-8080",
		"10.0.0.2/32 10.0.0.5/32 tcp 8080-8080", "10.0.0.2/32 10.0.0.6/32 tcp 8080-8080",
	}, show(f.Between))
	require.Equal(t, []string{"192.0.2.0/24 10.0.0.7/32 tcp 22-22"}, show(f.In[2:]))
	require.Equal(t, []string{"10.0.0.7/32 0.0.0.0/0 tcp 443-443", "10.0.0.7/32 198.51.100.0/24  0-0"}, show(f.Out))
	require.Equal(t, f, d.firewall([]member{members[2], members[1], members[3], members[0]}, balancer), "in whatever order")

	d.Rules = append(d.Rules[:6:6], d.Rules[8:]...)
	require.Empty(t, d.firewall(members, balancer).Stores, "the store lets nobody in")
	d.StoreGroups = nil
	require.Len(t, d.firewall(members, balancer).Stores, 3, "an environment of before, which recorded no groups of the store")
	require.Empty(t, Declared{}.firewall(members, balancer).Between)
}
