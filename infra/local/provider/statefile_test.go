package provider

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Several processes share the file; here each goroutine opens it for itself, as a process would.
func TestChangesOfTheWorldAreNotLost(t *testing.T) {
	dir := t.TempDir()
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			w, err := openStateFile(dir)
			if err == nil {
				err = w.change(func(c *contents) error {
					c.Serial++
					c.Resources[fmt.Sprint(i)] = recorded{ID: fmt.Sprint(i)}
					return nil
				})
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	w, err := openStateFile(dir)
	require.NoError(t, err)
	c, err := w.read()
	require.NoError(t, err)
	require.Equal(t, 20, c.Serial)
	require.Len(t, c.Resources, 20)
}

func TestARefusedChangeLeavesTheWorldAsItWas(t *testing.T) {
	w, err := openStateFile(t.TempDir())
	require.NoError(t, err)
	refusal := errors.New("no")
	require.ErrorIs(t, w.change(func(c *contents) error { c.Serial = 7; return refusal }), refusal)
	c, err := w.read()
	require.NoError(t, err)
	require.Zero(t, c.Serial)
}

func TestAStrangeStateFileIsNotOverwritten(t *testing.T) {
	w, err := openStateFile(t.TempDir())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(w.file, []byte("not ours"), 0o600))
	require.ErrorContains(t, w.change(func(*contents) error { return nil }), "make local-clean")
	b, err := os.ReadFile(w.file)
	require.NoError(t, err)
	require.Equal(t, "not ours", string(b))
}
