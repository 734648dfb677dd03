package keeper_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestLatency compares a keeper in front of Jetty with Jetty alone, on the same kind of store and in turns, so that
// whatever else this computer does meets both.
func TestLatency(t *testing.T) {
	const requests = 400
	c := newCluster(t, 2, nil)
	bare := c.name + "-bare"
	var command []string
	require.NoError(t, json.Unmarshal([]byte(c.docker("inspect", "--format", "{{json .Config.Cmd}}", image)), &command))
	jvm := command[slices.Index(command, "--")+1:]
	data := filepath.Join(c.store, "bare")
	require.NoError(t, os.Mkdir(data, 0o700))
	require.NoError(t, os.Chown(data, 10001, 10001))
	c.docker(slices.Concat(c.container(bare), []string{"--volume", data + ":/run/keeper/persistence", "--entrypoint", jvm[0],
		image}, jvm[1:], []string{"jetty.http.host=0.0.0.0", "jetty.http.port=8080"})...)
	t.Cleanup(func() {
		if _, err := docker("rm", "-fv", bare); err != nil {
			t.Error(err)
		}
	})
	jetty := &server{name: bare}
	c.found(jetty)
	leader := c.awaitLeader()
	standby := c.servers[0]
	if standby == leader {
		standby = c.servers[1]
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	send := func(s *server, post bool, n int) error {
		var resp *http.Response
		var err error
		if post {
			resp, err = client.PostForm("http://"+s.ip+":8080/Post.action", url.Values{"title": {fmt.Sprint("t", n)}})
		} else {
			resp, err = client.Get("http://" + s.ip + ":8080/")
		}
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
		if err == nil && resp.StatusCode >= 400 {
			err = fmt.Errorf("%s: %s", s.name, resp.Status)
		}
		return err
	}
	who := []struct {
		name string
		*server
	}{{"Jetty alone", jetty}, {"keeper that leads", leader}, {"keeper that forwards", standby}}
	for _, w := range who {
		require.Eventually(t, func() bool { return send(w.server, true, 0) == nil && send(w.server, false, 0) == nil },
			time.Minute, 50*time.Millisecond, "%s does not answer", w.name)
	}
	for _, post := range []bool{false, true} {
		times := make([][]time.Duration, len(who))
		for n := range requests {
			for i, w := range who {
				began := time.Now()
				require.NoError(t, send(w.server, post, n))
				if n >= requests/4 { // the first ones warm up
					times[i] = append(times[i], time.Since(began))
				}
			}
		}
		for i, w := range who {
			report(t, map[bool]string{false: "GET ", true: "POST "}[post]+w.name, times[i])
		}
	}
}

// TestTakeoverAsDataGrows kills the leading JVM of an adopted installation with more and more posts. That none is
// lost is checked by their number.
func TestTakeoverAsDataGrows(t *testing.T) {
	for posts := 1000; posts <= *biggest; posts *= 10 {
		t.Run(fmt.Sprint(posts), func(t *testing.T) {
			c := newCluster(t, 1, func(store string) { adoptable(t, store, posts) })
			s := c.servers[0]
			require.NoError(t, signal(s.jvmPID(), syscall.SIGKILL))
			var took string
			require.Eventually(t, func() bool {
				if strings.Count(c.docker("logs", s.name), `"msg":"leading"`) < 2 {
					return false
				}
				for line := range strings.Lines(c.docker("logs", s.name)) {
					if strings.Contains(line, `"msg":"leading"`) {
						took = line[strings.Index(line, `"copy"`):]
					}
				}
				return true
			}, time.Minute, 50*time.Millisecond)
			resp, err := http.Get("http://" + s.ip + ":8080/Read.action")
			require.NoError(t, err)
			defer resp.Body.Close()
			page, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.Equal(t, posts, bytes.Count(page, []byte("<h2>")))
			t.Logf("takeover with %6d posts: %s", posts, strings.TrimSpace(took))
		})
	}
}

// adoptable leaves a journal of the sample as an installation without a keeper does.
func adoptable(t *testing.T, store string, posts int) {
	t.Helper()
	dir := filepath.Join(store, "files*")
	require.NoError(t, os.Mkdir(dir, 0o750))
	var journal bytes.Buffer
	for n := range posts {
		title, body := fmt.Sprintf("adopted-%06d", n), strings.Repeat("text ", 20)
		content := binary.BigEndian.AppendUint32(nil, uint32(len(title)))
		content = append(append(content, title...), body...)
		journal.Write(binary.BigEndian.AppendUint32(nil, uint32(len(content))))
		journal.Write(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(content)))
		journal.Write(content)
	}
	name := filepath.Join(dir, "0000000000000000001.journal")
	require.NoError(t, os.WriteFile(name, journal.Bytes(), 0o640))
	for _, path := range []string{dir, name} {
		require.NoError(t, os.Chown(path, 10001, 10001))
	}
}
