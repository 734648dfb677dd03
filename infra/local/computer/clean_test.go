package computer

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Two stacks of one local cloud: removing one leaves the other's data, and asks Docker only for what is its own.
func TestRemoveStackKeepsTheOthers(t *testing.T) {
	state, log := t.TempDir(), filepath.Join(t.TempDir(), "log")
	dockerAnswers(t, `echo "$*" >>`+log)
	stack := func(name string) *Computer { return New("test", Options{State: state, Stack: name}) }
	for _, name := range []string{"train", "staging"} {
		require.NoError(t, stack(name).CreateVolume(t.Context(), "vol-"+name, 1))
	}
	require.NoError(t, stack("train").RemoveStack(t.Context()))
	for name, want := range map[string]bool{"train": false, "staging": true} {
		has, err := stack(name).HasVolume(t.Context(), "vol-"+name)
		require.NoError(t, err)
		require.Equal(t, want, has, name)
	}
	require.NoFileExists(t, stack("train").volumeStackFile("vol-train"))
	inUse, err := stack("train").InUse(t.Context())
	require.NoError(t, err)
	require.True(t, inUse, "the other stack needs the cloud")

	asked, err := os.ReadFile(log)
	require.NoError(t, err)
	const own = "--filter label=twip.stack=train --filter label=twip.local=test\n"
	require.Contains(t, string(asked), "container ls --quiet --all --no-trunc "+own)
	require.Contains(t, string(asked), "volume ls --quiet "+own)
}

// A volume from before volumes told their stack stays until the engine, which knows it, deletes it.
func TestRemoveStackKeepsWhatIsOfNoStack(t *testing.T) {
	dockerAnswers(t, "true")
	c := New("test", Options{State: t.TempDir(), Stack: "train"})
	require.NoError(t, c.CreateVolume(t.Context(), "vol-old", 1))
	require.NoError(t, os.Remove(c.volumeStackFile("vol-old")))
	require.NoError(t, c.RemoveStack(t.Context()))
	has, err := c.HasVolume(t.Context(), "vol-old")
	require.NoError(t, err)
	require.True(t, has)
}
