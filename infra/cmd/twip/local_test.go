package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// With CLOUD=aws exported, destroying what is on this computer must not so much as ask AWS. Docker stands in for
// whatever the local cloud would do, and refuses it, so that nothing of this computer is touched either.
func TestLocalDestroyTouchesNothingOfAWS(t *testing.T) {
	t.Setenv("TWIP_STATE", t.TempDir())
	t.Setenv("CLOUD", "aws")
	t.Setenv("DOCKER_HOST", "unix:///nowhere")
	for _, verb := range []string{"local-destroy", "local-clean"} {
		log := stand(t, map[string]string{
			"docker": `echo "docker is not here" >&2; exit 1`, "pulumi": "", "aws": "",
		})
		require.ErrorContains(t, try(t, "-cloud aws "+verb), "docker is not here")
		require.Contains(t, calls(t, log), "docker ")
		require.NotContains(t, calls(t, log), "pulumi ")
		require.NotContains(t, calls(t, log), "aws ")
	}
}

func TestConfirmed(t *testing.T) {
	for name, tc := range map[string]struct{ given, typed, err string }{
		"typed":             {typed: "train\n"},
		"typed without end": {typed: "train"},
		"given":             {given: "train"},
		"given and wrong":   {given: "prod", typed: "train\n", err: `"prod" is not its name`},
		"typed and wrong":   {typed: "TRAIN\n", err: `"TRAIN" is not its name`},
		"nothing":           {err: "CONFIRM=train"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			err := task{
				options: options{stack: "train", confirm: tc.given},
				in:      strings.NewReader(tc.typed),
				out:     &out,
			}.
				confirmed("restore", "what is lost")
			require.True(t, strings.HasPrefix(out.String(), "what is lost\n"), "the loss is said first")
			if tc.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, tc.err)
				require.ErrorContains(t, err, "nothing was changed")
			}
		})
	}
}

func TestStateDirectory(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_STATE_HOME", dir)
	t.Setenv("TWIP_STATE", "")
	found, err := stateDir()
	require.NoError(t, err)
	require.Equal(t, filepath.Join(dir, "twip"), found)
	t.Setenv("TWIP_STATE", filepath.Join(dir, "other"))
	found, err = stateDir()
	require.NoError(t, err)
	require.Equal(t, filepath.Join(dir, "other"), found)
}
