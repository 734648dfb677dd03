package provider

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStartRefusesWhatItCannotWorkWith(t *testing.T) {
	_, err := Start(Options{})
	require.ErrorContains(t, err, "Options.State")
}
