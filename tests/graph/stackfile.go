package graph

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"testing"

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

// Committed returns the configuration that Pulumi makes of the committed Pulumi.yaml and Pulumi.<stack>.yaml, after
// Pulumi's own check of its types. Overrides replace single values; their keys are full.
func Committed(t testing.TB, stack string, overrides map[string]string) map[string]string {
	t.Helper()
	values := Merged(t, filepath.Join(Root(), "Pulumi."+stack+".yaml"), stack)
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
	require.NoError(t, workspace.ValidateStackConfigAndApplyProjectConfig(
		context.Background(), stack, project, esc.Value{}, settings.Config, config.NopEncrypter, config.NopDecrypter))
	decrypted, err := settings.Config.Decrypt(config.NopDecrypter)
	require.NoError(t, err)
	values := map[string]string{}
	for key, value := range decrypted {
		values[key.String()] = value
	}
	return values
}
