package network

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSubnetCIDR(t *testing.T) {
	for _, tc := range []struct{ vpc, zone, want string }{
		{"10.20.0.0/16", "eu-central-1a", "10.20.0.0/20"},
		{"10.20.0.0/16", "eu-central-1h", "10.20.112.0/20"},
		{"192.168.5.0/24", "us-east-1c", "192.168.5.32/28"},
	} {
		got, err := subnetCIDR(tc.vpc, tc.zone)
		require.NoError(t, err)
		require.Equal(t, tc.want, got)
	}
	_, err := subnetCIDR("10.20.0.0", "eu-central-1a")
	require.ErrorContains(t, err, `VPC range "10.20.0.0"`)
	_, err = subnetCIDR("10.20.0.0/16", "eu-central-1")
	require.ErrorContains(t, err, `zone "eu-central-1"`)
}

func TestZoneIPv6(t *testing.T) {
	for _, tc := range []struct{ vpc, zone, want string }{
		{"2001:db8:1234:1a00::/56", "eu-central-1a", "2001:db8:1234:1a00::/64"},
		{"2001:db8:1234:1a00::/56", "us-east-1h", "2001:db8:1234:1a07::/64"},
	} {
		got, err := zoneIPv6(tc.vpc, tc.zone)
		require.NoError(t, err)
		require.Equal(t, tc.want, got)
	}
	for _, vpc := range []string{"", "10.20.0.0/16", "2001:db8::/32"} {
		_, err := zoneIPv6(vpc, "eu-central-1a")
		require.ErrorContains(t, err, "run pulumi up again")
	}
}

func TestRuleNames(t *testing.T) {
	for cidr, want := range map[string]string{
		"203.0.113.0/24": "site-203.0.113.0-24", AnywhereIPv6: "site-ipv6-0", "2001:db8::/32": "site-2001-db8ipv6-32",
	} {
		require.Equal(t, want, ruleName(Flow{Name: "site"}, cidr), "two colons would divide the URN")
	}
}
