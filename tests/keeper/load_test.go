package keeper_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	rate      = 50 // requests per second
	postShare = 0.4
	// A load balancer gives up on a read that a server does not answer and asks another one.
	readPatience = 5 * time.Second
	postPatience = 40 * time.Second
	// It queues requests that it can connect nowhere, and tries again after a pause.
	queueTime  = 20 * time.Second
	queuePause = 200 * time.Millisecond
)

// span is from when a post was sent first until it was acknowledged.
type span struct{ sent, acked time.Time }

// load sends requests the way browsers behind a load balancer do.
type load struct {
	cluster *cluster
	client  *http.Client
	stop    chan struct{}
	wait    sync.WaitGroup

	mu       sync.Mutex
	next     int
	posts    int
	reads    int
	retried  int            // reads that a second server answered
	acked    map[string]int // title: times, always 1
	ackTimes []time.Time
	spans    map[string]span // of the posts that were acknowledged, by title
	others   map[string]int  // answers that were not 2xx or 3xx, by kind
}

func newLoad(c *cluster) *load {
	jar, err := cookiejar.New(nil)
	require.NoError(c.t, err)
	return &load{cluster: c, stop: make(chan struct{}), acked: map[string]int{}, others: map[string]int{}, spans: map[string]span{},
		client: &http.Client{Jar: jar, Transport: &http.Transport{MaxIdleConnsPerHost: 100, DialContext: (&net.Dialer{Timeout: time.Second}).DialContext},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// run sends requests at a fixed rate, whatever becomes of those before, until end is called.
func (l *load) run() {
	l.wait.Go(func() {
		for {
			for _, s := range l.cluster.servers {
				s.look()
			}
			select {
			case <-l.stop:
				return
			case <-time.After(500 * time.Millisecond):
			}
		}
	})
	l.wait.Go(func() {
		tick := time.NewTicker(time.Second / rate)
		defer tick.Stop()
		rng := rand.New(rand.NewSource(1))
		for n := 0; ; n++ {
			select {
			case <-l.stop:
				return
			case <-tick.C:
			}
			post, slow := rng.Float64() < postShare, n%rate == 0
			l.wait.Go(func() {
				switch {
				case post:
					l.post(fmt.Sprintf("post-%06d", n))
				case slow:
					l.read("/Read.action")
				default:
					l.read("/")
				}
			})
		}
	})
}

func (l *load) end() {
	close(l.stop)
	l.wait.Wait()
}

// server is the next one that the load balancer holds for healthy; if it holds none for that, any.
func (l *load) server() string {
	l.mu.Lock()
	l.next++
	n := l.next
	l.mu.Unlock()
	var all, healthy []string
	for _, s := range l.cluster.servers {
		s.mu.Lock()
		all = append(all, s.ip)
		if s.healthy {
			healthy = append(healthy, s.ip)
		}
		s.mu.Unlock()
	}
	if len(healthy) > 0 {
		all = healthy
	}
	return "http://" + all[n%len(all)] + ":8080"
}

func (l *load) post(title string) {
	l.count(&l.posts)
	body := url.Values{"title": {title}, "body": {"text of " + title}}.Encode()
	began := time.Now()
	for {
		kind, dialed := l.send(http.MethodPost, "/Post.action", body, postPatience)
		if !dialed && time.Since(began) < queueTime { // no server has received it
			time.Sleep(queuePause)
			continue
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		if kind == "" {
			l.acked[title]++
			l.ackTimes = append(l.ackTimes, time.Now())
			l.spans[title] = span{sent: began, acked: time.Now()}
			return
		}
		l.others["POST "+kind]++
		return
	}
}

func (l *load) read(path string) {
	l.count(&l.reads)
	began := time.Now()
	for first := true; ; first = false {
		kind, dialed := l.send(http.MethodGet, path, "", readPatience)
		switch {
		case kind == "" && first:
			return
		case kind == "":
			l.count(&l.retried)
			return
		case !strings.HasPrefix(kind, "5") && time.Since(began) < queueTime: // lost with its server: another one is asked
			if !dialed {
				time.Sleep(queuePause)
			}
			continue
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.others["GET "+kind]++
		return
	}
}

func (l *load) count(n *int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	*n++
}

// send returns "" for an answer 2xx or 3xx that came as a whole, and otherwise what came instead.
func (l *load) send(method, path, body string, patience time.Duration) (kind string, dialed bool) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, l.server()+path, strings.NewReader(body))
	if err != nil {
		return err.Error(), false
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.GetBody = nil // or net/http would send it again by itself
	}
	resp, err := l.client.Do(req)
	if err == nil {
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
	}
	var dial *net.OpError
	switch {
	case errors.As(err, &dial) && dial.Op == "dial":
		return "no connection", false
	case errors.Is(err, context.DeadlineExceeded):
		return "time-out", true
	case err != nil:
		return "connection lost", true
	case resp.StatusCode >= 400:
		return strings.TrimSpace(fmt.Sprintf("%d %s", resp.StatusCode, resp.Header.Get("Keeper-Refused"))), true
	}
	return "", true
}

// gap is the longest time without an acknowledged post that began or ended after since.
func (l *load) gap(since time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	times := slices.SortedFunc(slices.Values(l.ackTimes), time.Time.Compare)
	longest := time.Duration(0)
	for i := 1; i < len(times); i++ {
		if times[i].After(since) {
			longest = max(longest, times[i].Sub(times[i-1]))
		}
	}
	return longest
}

// flowing says whether posts have been acknowledged lately.
func (l *load) flowing() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	recent := 0
	for _, at := range slices.Backward(l.ackTimes) {
		if time.Since(at) > time.Second {
			break
		}
		recent++
	}
	return recent >= rate*postShare/2
}

// account checks, at every server, that each acknowledged post is there, and no post twice.
func (l *load) account(t *testing.T) {
	t.Helper()
	for _, s := range l.cluster.servers {
		var page string
		require.Eventually(t, func() bool {
			resp, err := l.client.Get("http://" + s.ip + ":8080/Read.action")
			if err != nil {
				return false
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			page = string(body)
			return err == nil && resp.StatusCode == http.StatusOK
		}, time.Minute, 100*time.Millisecond, "%s cannot be read", s.name)
		var lost, twice []string
		for _, title := range slices.Sorted(maps.Keys(l.acked)) {
			if !strings.Contains(page, "<h2>"+title+"</h2>") {
				lost = append(lost, title)
			}
		}
		for _, part := range strings.Split(page, "<h2>")[1:] {
			title, _, _ := strings.Cut(part, "</h2>")
			if strings.Count(page, "<h2>"+title+"</h2>") > 1 {
				twice = append(twice, title)
			}
		}
		require.Empty(t, lost, "acknowledged posts that %s does not show", s.name)
		require.Empty(t, twice, "posts that %s shows twice", s.name)
	}
}
