package keeper

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAdvertisedAddress(t *testing.T) {
	for name, tc := range map[string]struct {
		advertise, machine, want string
	}{
		"as told":                 {"10.0.0.9:80", "10.20.0.7", "10.0.0.9:80"},
		"the machine's address":   {"", "10.20.0.7", "10.20.0.7:8080"},
		"an address without port": {"", "2001:db8::7", "[2001:db8::7]:8080"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(AddressEnv, tc.machine)
			o := DefaultOptions()
			o.Advertise = tc.advertise
			require.NoError(t, o.complete())
			require.Equal(t, tc.want, o.Advertise)
		})
	}
}
