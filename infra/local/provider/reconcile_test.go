package provider

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReconcileKeepsWhatIsKnownAndWhatMayHoldData(t *testing.T) {
	s, err := Start(Options{State: t.TempDir()})
	require.NoError(t, err)
	defer s.Close()
	require.NoError(t, s.state.change(func(c *contents) error {
		for _, made := range []recorded{{Type: volumeType, ID: "vol-blank"}, {Type: volumeType, ID: "vol-data", Used: true}, {Type: volumeType, ID: "vol-known", Used: true}} {
			c.Resources[key(made.Type, made.ID)] = made
		}
		return nil
	}))
	lines, err := s.Reconcile(t.Context(), []Known{{Type: volumeType, ID: "vol-known"}})
	require.NoError(t, err)
	require.Len(t, lines, 2)
	require.Contains(t, lines[0], "removed aws:ebs/volume:Volume vol-blank")
	require.Contains(t, lines[1], "kept volume vol-data")
	c, err := s.state.read()
	require.NoError(t, err)
	require.Len(t, c.Resources, 2)
}
