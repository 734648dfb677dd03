package local

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func newCloud(t *testing.T, stackFile string) *Cloud {
	t.Helper()
	checkout := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(checkout, "Pulumi.test.yaml"), []byte(stackFile), 0o600))
	return New(Options{Name: "test", Checkout: checkout, Stack: "test", State: t.TempDir(), Out: &bytes.Buffer{}})
}

// What one command chose, the next one finds; the checkout stays as it is.
func TestValuesAreRemembered(t *testing.T) {
	c := newCloud(t, "config: {}\n")
	require.NoError(t, c.Set("twip:appContainers", 2))
	again := New(c.options)
	config, err := again.config()
	require.NoError(t, err)
	require.EqualValues(t, 2, config["twip:appContainers"])
	require.Equal(t, false, config["twip:protectData"], "what is only on this computer may be destroyed")
	left, err := os.ReadDir(c.options.Checkout)
	require.NoError(t, err)
	require.Len(t, left, 1)

	require.NoError(t, os.WriteFile(c.memory(), []byte("{"), 0o600))
	_, err = again.config()
	require.ErrorContains(t, err, "remove "+c.memory())
}

func TestTopologyDecidesAboutGroupsAndPorts(t *testing.T) {
	for name, tc := range map[string]struct {
		file   string
		groups bool
		site   int
		err    string
	}{
		"default":     {"config: {}\n", false, 8080, ""},
		"single host": {"config: {twip:topology: single-host}\n", false, 8080, ""},
		"multi zone":  {"config: {twip:topology: multi-zone}\n", true, 8090, ""},
		"no YAML":     {"config: [", false, 8080, "Pulumi.test.yaml: yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t, tc.file)
			groups, err := c.hasGroups()
			require.Equal(t, tc.site, c.ports()[80], "both topologies can be up at once")
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.groups, groups)
			config, err := c.config()
			require.NoError(t, err)
			_, set := config["twip:protectEdge"]
			require.Equal(t, tc.groups, set, "only groups have an edge of their own")
		})
	}
	c := newCloud(t, "")
	c.options.Stack = "nope"
	_, err := c.hasGroups()
	require.ErrorContains(t, err, "choose another stack with STACK=")
}
