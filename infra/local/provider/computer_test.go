package provider

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMemoryOf(t *testing.T) {
	for typ, want := range map[string]int{"t2.micro": 1024, "t3.small": 2048, "m6i.large": 8192} {
		got, err := memoryOf(typ)
		require.NoError(t, err)
		require.Equal(t, want, got, typ)
	}
	_, err := memoryOf("x9.huge")
	require.ErrorContains(t, err, `instanceType "x9.huge": its memory is not known here: use one of m5.large, `)
}

func TestStartRefusesWhatItCannotWorkWith(t *testing.T) {
	_, err := Start(Options{})
	require.ErrorContains(t, err, "Options.State")
}
