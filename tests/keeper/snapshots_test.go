package keeper_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestSnapshotsAsDataGrow measures, with more and more posts, what a snapshot costs: its duration, how long the posts
// wait for it, its size, and a takeover from it. All dates that were there before a kill are there after it.
func TestSnapshotsAsDataGrow(t *testing.T) {
	for posts := 1000; posts <= *biggest; posts *= 10 {
		t.Run(fmt.Sprint(posts), func(t *testing.T) {
			c := newCluster(t, 1, func(store string) { adoptable(t, store, posts) })
			s := c.servers[0]
			require.Eventually(t, func() bool { return len(c.lines("snapshots taken")) > 0 }, time.Minute, 50*time.Millisecond,
				"what was replayed is in no snapshot")
			first := c.lines("snapshots taken")[0]["longestMilliseconds"].(float64)

			// One post after the other, over several snapshots.
			client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
			var waits []time.Duration
			for until := time.Now().Add(8 * time.Second); time.Now().Before(until); time.Sleep(10 * time.Millisecond) {
				began := time.Now()
				resp, err := client.PostForm("http://"+s.ip+":8080/Post.action", url.Values{"title": {"new"}})
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				require.Equal(t, http.StatusFound, resp.StatusCode)
				waits = append(waits, time.Since(began))
			}
			slices.Sort(waits)
			names, bytesOfNewest := c.snapshotFiles()
			require.Greater(t, len(names), 1, "no snapshot followed the posts")

			page := c.page(s)
			require.NoError(t, signal(s.jvmPID(), syscall.SIGKILL))
			require.Eventually(t, func() bool { return len(c.lines("leading")) > 1 }, 2*time.Minute, 50*time.Millisecond,
				"no takeover")
			took := c.lines("leading")[1]
			dates := bytes.SplitAfter(page, []byte("<h2>adopted-"))[1:]
			after := bytes.SplitAfter(c.page(s), []byte("<h2>adopted-"))[1:]
			require.Len(t, dates, posts)
			require.True(t, slices.EqualFunc(dates, after, bytes.Equal), "an adopted article has another date after the kill")
			t.Logf("%7d posts: first snapshot %.0f ms, a post waits p50 %.1f ms, at most %.0f ms; "+
				"newest snapshot %.2f MB, %d snapshots in 8 s; takeover %v (copy %v, start %v)",
				posts, first, ms(quantile(waits, 0.5)), ms(waits[len(waits)-1]), float64(bytesOfNewest)/1e6, len(names),
				took["took"], took["copy"], took["start"])
		})
	}
}

// lines are the entries with a message in the logs of all servers.
func (c *cluster) lines(message string) []map[string]any {
	c.t.Helper()
	var found []map[string]any
	for _, s := range c.servers {
		// Jetty and what is beside it write to standard error.
		logs, err := exec.Command("docker", "logs", s.name).CombinedOutput()
		require.NoError(c.t, err)
		for line := range strings.Lines(string(logs)) {
			var entry map[string]any
			if json.Unmarshal([]byte(line), &entry) == nil && entry["msg"] == message {
				found = append(found, entry)
			}
		}
	}
	return found
}

// snapshotFiles are those of the newest epoch, and the size of the newest one.
func (c *cluster) snapshotFiles() (names []string, bytesOfNewest int64) {
	c.t.Helper()
	// The directory is named files*, which a pattern matches too.
	names, err := filepath.Glob(filepath.Join(c.store, "keeper/epochs/*/data/files*/*.snapshot"))
	require.NoError(c.t, err)
	require.NotEmpty(c.t, names)
	slices.Sort(names)
	info, err := os.Stat(names[len(names)-1])
	require.NoError(c.t, err)
	return names, info.Size()
}

func (c *cluster) page(s *server) []byte {
	c.t.Helper()
	resp, err := http.Get("http://" + s.ip + ":8080/Read.action")
	require.NoError(c.t, err)
	defer resp.Body.Close()
	require.Equal(c.t, http.StatusOK, resp.StatusCode)
	page, err := io.ReadAll(resp.Body)
	require.NoError(c.t, err)
	return page
}
