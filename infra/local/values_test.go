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

func TestOnlyWhatCanBootIsBooted(t *testing.T) {
	for name, tc := range map[string]struct{ file, err string }{
		"default":     {"config: {}\n", ""},
		"single host": {"config: {twip:topology: single-host}\n", ""},
		"multi zone":  {"config: {twip:topology: multi-zone}\n", "look at it with make preview STACK=test"},
		"no YAML":     {"config: [", "Pulumi.test.yaml: yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			err := newCloud(t, tc.file).bootable()
			if tc.err == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.err)
		})
	}
	c := newCloud(t, "")
	c.options.Stack = "nope"
	require.ErrorContains(t, c.bootable(), "choose another stack with STACK=")
}
