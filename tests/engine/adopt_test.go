package engine_test

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Environments that earlier versions of the program made are adopted: today's program changes nothing of them. A fixture
// is the state of a stack and of the local cloud, as the program of a commit left them after `up`:
// testdata/<commit>/<stack>.tar.gz.
func TestStatesOfEarlierProgramsAreAdopted(t *testing.T) {
	for stack, start := range map[string]func(*testing.T) *run{"train": train, "prod": prod} {
		t.Run(stack, func(t *testing.T) {
			r := start(t)
			unpack(t, filepath.Join("testdata", "18e77df", stack+".tar.gz"), r.state)
			summary, err := r.preview()
			require.NoError(t, err)
			require.Empty(t, summary.Steps)
			require.NotZero(t, summary.Changes["same"], "the fixture was not found")
		})
	}
}

// unpack lays a fixture where an engine looks for its state.
func unpack(t *testing.T, archive, into string) {
	t.Helper()
	file, err := os.Open(archive)
	require.NoError(t, err)
	defer file.Close()
	plain, err := gzip.NewReader(file)
	require.NoError(t, err)
	for entries := tar.NewReader(plain); ; {
		entry, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
		path := filepath.Join(into, entry.Name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		content, err := io.ReadAll(entries)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, content, 0o600))
	}
}
