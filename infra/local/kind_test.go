package local

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"twip/infra/local/region"
)

// What machines are is asked of the computer only where nobody has decided it: that is a test with machines.
func TestKindOfMachines(t *testing.T) {
	for _, tc := range []struct {
		name, asked, config string
		want, wrong         string
	}{
		{name: "chosen", asked: region.Containers, want: region.Containers},
		{name: "a word that is no kind", asked: "vms", wrong: `TWIP_MACHINES: "vms" cannot be used: use containers or kernels`},
		{name: "an environment of kernels", config: `{"Machines": "kernels"}`, want: region.Kernels},
		{name: "an environment of containers", config: `{"Machines": "containers"}`, want: region.Containers},
		{name: "one that wrote nothing down", config: `{}`, want: region.Containers},
		{name: "asked for what is there", asked: region.Kernels, config: `{"Machines": "kernels"}`, want: region.Kernels},
		{name: "asked for the other kind", asked: region.Kernels, config: `{"Machines": "containers"}`,
			wrong: `the machines of stack "prod" are containers, which keep their data elsewhere: unset it, or run make ` +
				`local-destroy STACK=prod first, which deletes the data`},
		{name: "a file that was cut off", config: `{"Machines": "ker`, wrong: "controller's configuration"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Setenv(MachinesVariable, tc.asked)
			c := New(Options{Name: "test", Stack: "prod", State: t.TempDir(), Ports: map[int]int{80: 0}})
			if tc.config != "" {
				require.NoError(t, os.MkdirAll(c.regionDir(), 0o700))
				require.NoError(t, os.WriteFile(filepath.Join(c.regionDir(), "config.json"), []byte(tc.config), 0o600))
			}
			kind, err := c.kindOfMachines(t.Context())
			if tc.wrong != "" {
				require.ErrorContains(t, err, tc.wrong)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.want, kind)
		})
	}
}
