package graph

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"twip/stacks"

	"github.com/pulumi/esc"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/cmdutil"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"github.com/stretchr/testify/require"
)

// Root is the project's root directory.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}

// Fixture returns the configuration that Pulumi makes of Pulumi.yaml and tests/stacks/Pulumi.<stack>.yaml, after
// Pulumi's own check of its types. Overrides replace single values; their keys are full. The committed stack files are
// their owners' to change, so no test but that of the committed stacks reads them.
func Fixture(t testing.TB, stack string, overrides map[string]string) map[string]string {
	t.Helper()
	values := Merged(t, filepath.Join(Root(), "tests", "stacks", "Pulumi."+stack+".yaml"), stack)
	maps.Copy(values, overrides)
	return values
}

// Defaults returns the configuration of a stack whose file names nothing but the region.
func Defaults(t testing.TB, overrides map[string]string) map[string]string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "Pulumi.test.yaml")
	require.NoError(t, os.WriteFile(file, []byte("config:\n  aws:region: eu-central-1\n"), 0o600))
	values := Merged(t, file, "test")
	maps.Copy(values, overrides)
	return values
}

// Merged is what the CLI hands to the program: the stack's file over the project's defaults.
func Merged(t testing.TB, file, stack string) map[string]string {
	t.Helper()
	project, err := workspace.LoadProject(filepath.Join(Root(), "Pulumi.yaml"))
	require.NoError(t, err)
	settings, err := workspace.LoadProjectStack(cmdutil.Diag(), project, file)
	require.NoError(t, err)
	require.NoError(t, workspace.ValidateStackConfigAndApplyProjectConfig(context.Background(), stack, project,
		esc.Value{}, settings.Config, config.NopEncrypter, config.NopDecrypter))
	decrypted, err := settings.Config.Decrypt(config.NopDecrypter)
	require.NoError(t, err)
	values := map[string]string{}
	for key, value := range decrypted {
		values[key.String()] = value
		if settings.Config[key].Secure() { // only its owner can read it: any right value stands in
			values[key.String()] = example(t, key.Name())
		}
	}
	return values
}

// example is a right value of one of the program's keys.
func example(t testing.TB, name string) string {
	t.Helper()
	for _, key := range stacks.Keys {
		if key.Name == name {
			return key.Example
		}
	}
	require.Fail(t, "an encrypted value of a key that the program does not have", name)
	return ""
}
