package images_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"twip/infra/images"
	"twip/infra/keeper"
)

func TestArticlesSurviveStopsAndCrashes(t *testing.T) {
	s := newSite(t, built[images.App])
	s.post(t, "first", "one")
	s.post(t, "second", "two")
	before := s.dates(t)
	require.Len(t, before, 2)

	// An orderly stop takes the snapshot, so nothing has to be replayed and dates stay.
	mustDocker(t, "stop", s.app.id)
	mustDocker(t, "start", s.app.id)
	require.Equal(t, before, s.dates(t))
	_, page := s.get(t, "/Read.action")
	require.Contains(t, page, "Your last post: second", "the session survived")

	// A crash leaves the journal, which the next start replays: all articles, those since the snapshot with a new date.
	s.post(t, "third", "three")
	third := s.dates(t)["third"]
	mustDocker(t, "kill", s.app.id)
	mustDocker(t, "start", s.app.id)
	after := s.dates(t)
	require.Len(t, after, 3)
	require.Equal(t, before["first"], after["first"])
	require.Greater(t, after["third"], third, "the sample stamps articles when they are replayed, as companyNews does")
}

func TestRequestsWaitForAnAppThatIsReplaced(t *testing.T) {
	s := newSite(t, built[images.App])
	s.post(t, "kept", "x")
	mustDocker(t, "rm", "-f", s.app.id)

	await(t, 10*time.Second, "the proxy to notice", func() bool {
		return !strings.HasPrefix(s.statistic(t, "app-1", "status"), "UP")
	})
	require.FileExists(t, filepath.Join(s.sockets("app-1"), keeper.SiteSocket), "a kill leaves the socket behind")

	requests := []struct {
		method, path, body string
		want               int
	}{{"GET", "/Read.action", "", 200}, {"POST", "/Post.action", "title=waited", 302}, {"GET", "/?a=b", "", 200}}
	var answers sync.WaitGroup
	for _, request := range requests {
		answers.Go(func() {
			begin := time.Now()
			assert.Equal(t, request.want, s.status(request.method, request.path, form, request.body), request.path)
			t.Logf("%s %s answered after %.1f s", request.method, request.path, time.Since(begin).Seconds())
		})
	}
	startApp(t, built[images.App], s)
	answers.Wait()
	require.Contains(t, s.dates(t), "kept")
	require.Contains(t, s.dates(t), "waited")
}

// Many come while the only app server dies and comes back. Reads are answered all the same, and a change is in doubt only
// if it was being worked on.
func TestKillsAreWaitedOut(t *testing.T) {
	s := newSite(t, built[images.App])
	const readers, writers, kills = 40, 10, 3
	var people sync.WaitGroup
	var reads, posts, doubtful atomic.Int64
	ended := make(chan struct{})
	repeat := func(do func()) {
		people.Go(func() {
			for {
				select {
				case <-ended:
					return
				default:
					do()
				}
			}
		})
	}
	for range readers {
		repeat(func() {
			reads.Add(1)
			assert.Equal(t, http.StatusOK, s.status("GET", "/", nil, ""))
		})
	}
	for range writers {
		repeat(func() {
			switch status := s.status("POST", "/Post.action", form, "title=x"); status {
			case http.StatusFound:
				posts.Add(1)
			case http.StatusBadGateway, http.StatusServiceUnavailable, 0: // 0: HAProxy ends a kept connection without an answer
				doubtful.Add(1)
			default:
				assert.Equal(t, http.StatusFound, status)
			}
		})
	}
	for range kills {
		before := posts.Load()
		await(t, time.Minute, "posts", func() bool { return posts.Load() > before+writers })
		mustDocker(t, "kill", s.app.id)
		mustDocker(t, "start", s.app.id)
	}
	before := posts.Load()
	await(t, time.Minute, "posts after the last kill", func() bool { return posts.Load() > before+writers })
	close(ended)
	people.Wait()
	t.Logf("%d reads, %d posts, %d posts in doubt", reads.Load(), posts.Load(), doubtful.Load())
	require.LessOrEqual(t, doubtful.Load(), int64(2*kills*writers), "who tries again at once may meet the same dying server")
}

func TestAStaticServerIsFoundByItsName(t *testing.T) {
	s := newSite(t, built[images.App])
	mustDocker(t, "rm", "-f", s.static.id)
	// Another container takes the free address.
	thief := mustDocker(t, "run", "-d", "--label", label, "--network", s.network, "--entrypoint", "sleep", built[images.Proxy], "300")
	defer mustDocker(t, "rm", "-f", thief)
	s.static = run(t, images.Static, built[images.Static], s.network, "--network-alias", "static")
	await(t, 20*time.Second, "a static file again", func() bool {
		return s.status("GET", "/styles/site.css", nil, "") == http.StatusOK
	})
}

func TestADamagedJournalIsRefused(t *testing.T) {
	store := newStore(t)
	onStore(t, store, "sh", "-c",
		`mkdir '/store/files*' && printf 'this is no journal, not even nearly' > '/store/files*/0000000000000000001.journal' && chown -R 10001:10001 /store`)
	app := startApp(t, built[images.App], &site{network: newNetwork(t), store: store, sockets: newSockets(t)})
	const message = "0000000000000000001.journal is damaged at byte 0"
	await(t, 30*time.Second, "the refusal in the log", func() bool {
		return strings.Contains(app.logs(t), message)
	})
	response, err := http.Get("http://" + app.address(t) + ":8082/health")
	if err == nil {
		response.Body.Close()
		require.NotEqual(t, http.StatusOK, response.StatusCode)
	}
	content := onStore(t, store, "cat", "/store/files*/0000000000000000001.journal")
	require.Equal(t, "this is no journal, not even nearly", content, "nothing was changed")
}
