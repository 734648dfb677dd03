package engine_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"twip/infra/local/engine"
	"twip/stacks"
)

func TestTrain(t *testing.T) {
	r := newRun(t, map[string]any{"twip:statsCidrs": []string{"127.0.0.1/32"}})
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	r.with(root, stacks.Program, func(e *engine.Engine) {
		s, err := e.Preview(context.Background())
		require.NoError(t, err)
		t.Log(s.Changes)
		s, err = e.Up(context.Background())
		require.NoError(t, err)
		t.Log(s.Changes, s.Outputs)
		s, err = e.Up(context.Background())
		require.NoError(t, err)
		t.Log(s.Changes)
	})
}
