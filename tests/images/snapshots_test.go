package images_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twip/infra/images"
)

// said are the values of a field in the log's entries with a message.
func (c container) said(t *testing.T, message, field string) (values []any) {
	t.Helper()
	for line := range strings.Lines(c.logs(t)) {
		var entry map[string]any
		if json.Unmarshal([]byte(line), &entry) == nil && entry["component"] == "snapshots" && entry["msg"] == message {
			values = append(values, entry[field])
		}
	}
	return values
}

const found = "Prevayler found: snapshots are taken while the application runs"

func TestASnapshotBeforeAnOrderlyStop(t *testing.T) {
	s := newSite(t, built[images.App])
	await(t, 10*time.Second, "Prevayler to be found", func() bool { return len(s.app.said(t, found, "class")) == 1 })
	require.Equal(t, []any{"companynews.Prevalence"}, s.app.said(t, found, "class"))
	require.Empty(t, s.app.said(t, "snapshots taken", "taken"), "an empty site needs none")

	// A snapshot of the running site comes a second after a post at the earliest.
	require.Equal(t, 302, s.status("POST", "/Post.action", form, "title=last"))
	mustDocker(t, "stop", s.app.id)
	require.Equal(t, []any{1.0}, s.app.said(t, "snapshots taken", "taken"))
}

func TestSnapshotsThatFailDoNotStopTheSite(t *testing.T) {
	s := newSite(t, built[images.App])
	root := "/proc/" + s.app.jvm(t) + "/root"
	data, err := os.Readlink(root + "/run/keeper/persistence")
	require.NoError(t, err)
	directory := filepath.Join(root, data, "files*")
	require.Equal(t, 302, s.status("POST", "/Post.action", form, "title=first"))
	await(t, 10*time.Second, "a snapshot", func() bool { return len(s.app.said(t, "snapshots taken", "taken")) > 0 })

	// The journal is open and can be written, but no file can be made beside it.
	require.NoError(t, os.Chmod(directory, 0o550))
	require.Equal(t, 302, s.status("POST", "/Post.action", form, "title=second"))
	await(t, 10*time.Second, "a failure", func() bool { return len(s.app.said(t, "snapshot failed", "failures")) > 0 })
	require.Equal(t, 302, s.status("POST", "/Post.action", form, "title=third"))
	_, page := s.get(t, "/Read.action")
	require.Contains(t, page, "<h2>third</h2>")

	require.NoError(t, os.Chmod(directory, 0o750))
	await(t, 30*time.Second, "the snapshot that was missing", func() bool {
		_, err := os.Stat(filepath.Join(directory, "0000000000000000003.snapshot"))
		return err == nil
	})
}
