package computer

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFirewallText(t *testing.T) {
	app, static, balancer := netip.MustParseAddr("10.0.0.5"), netip.MustParseAddr("10.0.0.6"), netip.MustParseAddr("10.0.0.2")
	f := Firewall{
		Machines: []netip.Addr{app, static}, Inside: []netip.Addr{app, balancer}, Stores: []netip.Addr{app},
		Between: []Flow{{From: netip.MustParsePrefix("10.0.0.2/32"), To: netip.MustParsePrefix("10.0.0.5/32"), Protocol: "tcp",
			Ports: [2]int{8080, 8081}}},
		In:  []Flow{{From: netip.MustParsePrefix("192.0.2.0/24"), To: netip.MustParsePrefix("10.0.0.6/32"), Protocol: "udp", Ports: [2]int{53, 53}}},
		Out: []Flow{{From: netip.MustParsePrefix("10.0.0.5/32"), To: netip.MustParsePrefix("0.0.0.0/0")}},
	}
	require.Equal(t, `*filter
:twip-FORWARD - [0:0]
:twip-INPUT - [0:0]
-A twip-FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j RETURN
-A twip-FORWARD -s 10.0.0.2/32 -d 10.0.0.5/32 -p tcp --dport 8080:8081 -j RETURN
-A twip-FORWARD -s 10.0.0.5 -d 10.0.0.5 -j DROP
-A twip-FORWARD -s 10.0.0.5 -d 10.0.0.6 -j DROP
-A twip-FORWARD -s 10.0.0.2 -d 10.0.0.5 -j DROP
-A twip-FORWARD -s 10.0.0.2 -d 10.0.0.6 -j DROP
-A twip-FORWARD -s 192.0.2.0/24 -d 10.0.0.6/32 -p udp --dport 53:53 -j RETURN
-A twip-FORWARD -d 10.0.0.5 -j DROP
-A twip-FORWARD -d 10.0.0.6 -j DROP
-A twip-FORWARD -s 10.0.0.5/32 -d 0.0.0.0/0 -j RETURN
-A twip-FORWARD -s 10.0.0.5 -d 169.254.169.254/32 -j RETURN
-A twip-FORWARD -s 10.0.0.5 -j DROP
-A twip-FORWARD -s 10.0.0.6 -d 169.254.169.254/32 -j RETURN
-A twip-FORWARD -s 10.0.0.6 -j DROP
-A twip-INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j RETURN
-A twip-INPUT -s 10.0.0.6 -j DROP
COMMIT
`, string(f.text()))
	require.NotContains(t, strings.TrimSuffix(string(Firewall{}.text()), "COMMIT\n"), "DROP", "nobody is cut off before anything is known")
}
