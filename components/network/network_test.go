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
