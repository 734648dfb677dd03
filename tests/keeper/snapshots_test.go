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

			// One post after the other, over several snapshots: a long one is followed by the next after a hundred times
			// as much.
			client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
			var waits []time.Duration
			since := time.Now()
			names, newest := c.snapshotFiles()
			for ; len(names) < 2 || time.Since(since) < 8*time.Second; names, newest = c.snapshotFiles() {
				require.Less(t, time.Since(since), 3*time.Minute, "no snapshot followed the posts")
				began := time.Now()
				resp, err := client.PostForm("http://"+s.ip+":8080/Post.action", url.Values{"title": {"new"}})
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				require.Equal(t, http.StatusFound, resp.StatusCode)
				waits = append(waits, time.Since(began))
				time.Sleep(10 * time.Millisecond) // a rate, which leaves the computer time for the rest
			}
			posting := time.Since(since)
			slices.Sort(waits)

			before := c.adopted(s, posts)
			require.NoError(t, signal(s.jvmPID(), syscall.SIGKILL))
			require.Eventually(t, func() bool { return len(c.lines("leading")) > 1 }, 2*time.Minute, 50*time.Millisecond,
				"no takeover")
			took := c.lines("leading")[1]
			after := c.adopted(s, posts)
			require.True(t, slices.EqualFunc(before, after, bytes.Equal), "an adopted article has another date after the kill")
			t.Logf("%7d posts: first snapshot %.0f ms, a post waits p50 %.1f ms, at most %.0f ms; "+
				"newest snapshot %.2f MB, %d snapshots in %.0f s; takeover %v (copy %v, start %v)",
				posts, first, ms(quantile(waits, 0.5)), ms(waits[len(waits)-1]), float64(newest)/1e6,
				len(names), posting.Seconds(), took["took"], took["copy"], took["start"])
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

// adopted are the articles of the journal that was there before the keeper, as the list shows them.
func (c *cluster) adopted(s *server, posts int) [][]byte {
	c.t.Helper()
	if posts > 100000 {
		return nil // the list of a million articles is larger than the JVM
	}
	resp, err := http.Get("http://" + s.ip + ":8080/Read.action")
	require.NoError(c.t, err)
	defer resp.Body.Close()
	require.Equal(c.t, http.StatusOK, resp.StatusCode)
	page, err := io.ReadAll(resp.Body)
	require.NoError(c.t, err)
	articles := bytes.SplitAfter(page, []byte("<h2>adopted-"))[1:]
	require.Len(c.t, articles, posts)
	return articles
}
