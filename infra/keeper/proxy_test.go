package keeper

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// site is a keeper's proxy with a store of its own, in front of a JVM that the test writes.
type site struct {
	keeper *Keeper
	proxy  *proxy
	server *testServer
	store  store
}

// testServer is a keeper's server, as httptest would make one.
type testServer struct {
	*server
	URL string
}

func newTestServer(t *testing.T, p *proxy) *testServer {
	t.Helper()
	listener, err := listenTCP("127.0.0.1:0")
	require.NoError(t, err)
	s := &testServer{newServer(p, listener), "http://" + listener.Addr().String()}
	ended := make(chan error)
	go func() { ended <- s.serve(listener) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = s.shutdown(ctx) // a client may have kept its connection
		require.NoError(t, <-ended)
	})
	return s
}

func (s *testServer) address() string { return strings.TrimPrefix(s.URL, "http://") }

// newSite makes a site that leads epoch 1.
func newSite(t *testing.T, jvm http.HandlerFunc) *site {
	t.Helper()
	st, dir := newDirStore(t)
	k, _ := newTestKeeper(dirFS(dir))
	require.NoError(t, st.claim(Claim{Epoch: 1, Holder: k.id}))
	leadNow(t, k, 1)
	backend := httptest.NewServer(jvm)
	t.Cleanup(backend.Close)
	o := DefaultOptions()
	o.Backend, o.Hold, o.MaxHeld = address(backend), 400*time.Millisecond, 4
	s := &site{keeper: k, proxy: newProxy(k, o), store: st}
	s.server = newTestServer(t, s.proxy)
	return s
}

// follow makes a site one that stands by and forwards to a leader.
func (s *site) follow(leader *site) {
	s.keeper.setRoute(
		Route{Epoch: leader.keeper.Route().Epoch, Address: leader.server.address(), Holder: leader.keeper.id},
	)
}

// newStandby makes a site that forwards to a leader.
func newStandby(t *testing.T, leader *site) *site {
	t.Helper()
	s := newStandbyOf(t, leader.server.address())
	s.follow(leader)
	return s
}

// newStandbyOf makes a site that forwards to whatever has an address.
func newStandbyOf(t *testing.T, leader string) *site {
	t.Helper()
	s := newSite(t, func(http.ResponseWriter, *http.Request) { t.Error("a standby asked its own JVM") })
	s.keeper.setRoute(Route{Epoch: 2, Address: leader, Holder: newID()})
	return s
}

func address(s *httptest.Server) string { return strings.TrimPrefix(s.URL, "http://") }

func (s *site) do(t *testing.T, method, path, body string, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.server.URL+path, strings.NewReader(body))
	require.NoError(t, err)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp, string(answer)
}

func refused(t *testing.T, resp *http.Response, why string) {
	t.Helper()
	require.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
	require.Equal(t, why, resp.Header.Get(refusedHeader))
	require.Equal(t, "1", resp.Header.Get("Retry-After"))
}

// In each case the epoch ends while the JVM works on the request.
func TestAnswersOfAFormerLeader(t *testing.T) {
	for name, test := range map[string]struct {
		method, path, body string
		again              bool // by the new leader
	}{
		"post":                     {http.MethodPost, "/Post.action", "title=x", false},
		"post without a body":      {http.MethodPost, "/Post.action", "", false},
		"put":                      {http.MethodPut, "/x", "x", false},
		"page":                     {http.MethodGet, "/", "", true},
		"page with a session":      {http.MethodGet, "/;jsessionid=1", "", true},
		"head":                     {http.MethodHead, "/", "", true},
		"reading action":           {http.MethodGet, "/Read.action", "", true},
		"action by GET":            {http.MethodGet, "/Post.action?title=x", "", false},
		"other action":             {http.MethodGet, "/Empty.action", "", false},
		"action in a parameter":    {http.MethodGet, "/?action:Post&title=x", "", false},
		"reading action, by query": {http.MethodGet, "/Read.action?action:Post&title=x", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			var s *site
			asked, leader := atomic.Int64{}, atomic.Int64{}
			next := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set(epochHeader, "2")
				leader.Add(1)
			}))
			defer next.Close()
			s = newSite(t, func(http.ResponseWriter, *http.Request) {
				asked.Add(1)
				require.NoError(t, s.store.claim(Claim{Epoch: 2, Holder: "next"}))
				s.keeper.setRoute(Route{Epoch: 2, Address: address(next)})
			})
			resp, _ := s.do(t, test.method, test.path, test.body)
			require.EqualValues(t, 1, asked.Load())
			if test.again {
				require.Equal(t, http.StatusOK, resp.StatusCode)
				require.EqualValues(t, 1, leader.Load())
				return
			}
			refused(t, resp, inDoubt)
			require.Zero(t, leader.Load(), "a request that may change data was sent twice")
		})
	}
}

// A connection that the server closes after it has read the request is no reason to send it again, whatever
// net/http thinks of its method or of the header.
func TestLostConnectionsAreNotRetried(t *testing.T) {
	for name, test := range map[string]struct{ method, path, body string }{
		"post":          {http.MethodPost, "/Post.action", "title=x"},
		"empty post":    {http.MethodPost, "/Post.action", ""},
		"action by GET": {http.MethodGet, "/Post.action?title=x", ""},
	} {
		t.Run(name, func(t *testing.T) {
			asked := atomic.Int64{}
			s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/warm" {
					return // leaves a connection to be reused
				}
				asked.Add(1)
				conn, _, err := w.(http.Hijacker).Hijack()
				if err == nil {
					conn.Close()
				}
			})
			s.do(t, http.MethodGet, "/warm", "")
			resp, _ := s.do(t, test.method, test.path, test.body, "Idempotency-Key", "1")
			refused(t, resp, inDoubt)
			require.EqualValues(t, 1, asked.Load())
		})
	}
}

// What a leader does not know, the keeper that forwarded to it does not know either.
func TestALeadersDoubtIsPassedOn(t *testing.T) {
	asked := atomic.Int64{}
	leader := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.Header().Set(refusedHeader, inDoubt)
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer leader.Close()
	s := newStandbyOf(t, address(leader))
	resp, _ := s.do(t, http.MethodPost, "/Post.action", "title=x")
	refused(t, resp, inDoubt)
	require.EqualValues(t, 1, asked.Load(), "a request that may change data was sent twice")
}

// A server that ends the connection in the middle of a request may have carried it out all the same.
func TestARequestThatCouldNotBeSentWholeIsNotSentAgain(t *testing.T) {
	small := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error { // or all of it fits into buffers
		var err error
		return errors.Join(raw.Control(func(fd uintptr) {
			err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096)
		}), err)
	}}
	l, err := small.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	asked := atomic.Int64{}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			asked.Add(1)
			_, _ = io.ReadFull(conn, make([]byte, 1000)) // more than the head; closing with the rest unread resets
			conn.Close()
		}
	}()
	s := newSite(t, nil)
	s.proxy.backend, s.proxy.maxBody, s.proxy.keepLimit = l.Addr().String(), 32<<20, 64<<20
	resp, _ := s.do(t, http.MethodPost, "/Post.action", strings.Repeat("x", 16<<20)) // more than the sender's buffer
	refused(t, resp, inDoubt)
	require.EqualValues(t, 1, asked.Load())
}

func TestRequestsAreHeldUntilSomebodyLeads(t *testing.T) {
	for name, body := range map[string]string{"small": "title=x", "the largest": strings.Repeat("x", bodyLimit)} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
				got, err := io.ReadAll(r.Body)
				require.NoError(t, err)
				require.Equal(t, body, string(got))
				w.WriteHeader(http.StatusFound)
			})
			s.keeper.setRoute(Route{Epoch: 1})
			go func() {
				for s.keeper.metrics.held.Load() == 0 {
					time.Sleep(time.Millisecond)
				}
				s.keeper.setRoute(Route{Epoch: 1, Self: true})
			}()
			resp, _ := s.do(t, http.MethodPost, "/Post.action", body)
			require.Equal(t, http.StatusFound, resp.StatusCode)
		})
	}
}

func TestHoldingIsBounded(t *testing.T) {
	s := newSite(t, nil)
	s.keeper.setRoute(Route{Epoch: 1})
	began := time.Now()
	resp, _ := s.do(t, http.MethodGet, "/", "")
	refused(t, resp, unsent)
	require.GreaterOrEqual(t, time.Since(began), s.proxy.hold)

	for range cap(s.proxy.held) {
		s.proxy.held <- struct{}{}
	}
	before := s.keeper.metrics.held.Load()
	resp, _ = s.do(t, http.MethodGet, "/", "")
	refused(t, resp, unsent)
	require.Equal(t, before, s.keeper.metrics.held.Load(), "a request was held although there is no place")
}

func TestForwarding(t *testing.T) {
	var got *http.Request
	leader := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		w.Header().Set("Connection", "X-Hop")
		w.Header().Set("X-Hop", "1")
		w.Header().Set("X-End", "1")
		w.Header().Set(refusedHeader, unsent) // an application cannot pretend to be a keeper
		w.WriteHeader(http.StatusCreated)
	})
	s := newStandby(t, leader)
	resp, _ := s.do(t, http.MethodPost, "/Post.action?a=b", "title=x",
		"Connection", "X-Hop", "X-Hop", "1", "Upgrade", "websocket", "X-End", "1",
		"X-Forwarded-For", "192.0.2.1", "X-Forwarded-Proto", "https")
	require.Equal(t, http.StatusCreated, resp.StatusCode)
	require.Equal(t, "1", resp.Header.Get("X-End"))
	require.Empty(t, resp.Header.Get("X-Hop"))
	require.Empty(t, resp.Header.Get(refusedHeader))
	require.Equal(t, "/Post.action?a=b", got.RequestURI)
	require.Equal(t, s.server.address(), got.Host)
	require.Equal(t, "192.0.2.1", got.Header.Get("X-Forwarded-For"))
	require.Equal(t, "https", got.Header.Get("X-Forwarded-Proto"))
	require.Equal(t, s.server.address(), got.Header.Get("X-Forwarded-Host"))
	require.Equal(t, "1", got.Header.Get("X-End"))
	require.Empty(t, got.Header.Get("X-Hop"))
	require.Empty(t, got.Header.Get("Upgrade"))
}

func TestForwardingDoesNotLoop(t *testing.T) {
	a := newStandbyOf(t, "127.0.0.1:1")
	b := newStandby(t, a)
	a.follow(b)
	resp, _ := a.do(t, http.MethodPost, "/Post.action", "title=x")
	refused(t, resp, unsent)
}

// A leader that does not answer any more is given up when another one is known, and not before.
func TestForwardingToALeaderThatHangs(t *testing.T) {
	asked, hang := make(chan struct{}, 2), make(chan struct{})
	old := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked <- struct{}{}; <-hang }))
	defer old.Close()
	defer close(hang)
	leader := newSite(t, func(http.ResponseWriter, *http.Request) {})
	for method, path := range map[string]string{http.MethodGet: "/", http.MethodPost: "/Post.action"} {
		s := newStandbyOf(t, address(old))
		go func() {
			<-asked
			s.follow(leader)
		}()
		resp, _ := s.do(t, method, path, "")
		if method == http.MethodGet {
			require.Equal(t, http.StatusOK, resp.StatusCode)
		} else {
			refused(t, resp, inDoubt)
		}
	}
}

func TestForwardingToALeaderThatIsGone(t *testing.T) {
	leader := newSite(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusFound) })
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	gone.Close()
	s := newStandbyOf(t, gone.Addr().String())
	go func() {
		for s.keeper.metrics.held.Load() == 0 {
			time.Sleep(time.Millisecond)
		}
		s.follow(leader)
	}()
	resp, _ := s.do(t, http.MethodPost, "/Post.action", "title=x")
	require.Equal(t, http.StatusFound, resp.StatusCode, "nobody had received the request")
}

func TestStreaming(t *testing.T) {
	goOn := make(chan struct{})
	leader := newSite(t, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "first")
		w.(http.Flusher).Flush()
		<-goOn
		fmt.Fprintln(w, "second")
	})
	s := newStandby(t, leader)
	resp, err := http.Get(s.server.URL)
	require.NoError(t, err)
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	require.True(t, lines.Scan())
	require.Equal(t, "first", lines.Text(), "the first line has to come before the second is there")
	close(goOn)
	require.True(t, lines.Scan())
	require.Equal(t, "second", lines.Text())
	require.Eventually(t, func() bool { return leader.keeper.inFlight.Load() == 0 }, time.Second, time.Millisecond)
}

// An application that sends the first bytes before its change is done must not have the last ones released.
func TestAnswerThatEndsAfterTheEpoch(t *testing.T) {
	var s *site
	s = newSite(t, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "working ...")
		w.(http.Flusher).Flush()
		require.NoError(t, s.store.claim(Claim{Epoch: 2, Holder: "next"}))
		fmt.Fprintln(w, "done")
	})
	resp, err := http.Post(s.server.URL+"/Post.action", "text/plain", nil)
	if err != nil {
		return // lost before the first byte
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusServiceUnavailable {
		refused(t, resp, inDoubt) // found out before the first byte
		return
	}
	body, err := io.ReadAll(resp.Body)
	require.Error(t, err, "the answer came as a whole: %q", body)
}

func TestProbeHeader(t *testing.T) {
	s := newSite(t, func(http.ResponseWriter, *http.Request) { t.Error("a probe reached the JVM") })
	resp, _ := s.do(t, http.MethodGet, "/", "", probeHeader, s.keeper.id)
	require.Equal(t, http.StatusNoContent, resp.StatusCode)
	s.keeper.setRoute(Route{Epoch: 1})
	resp, _ = s.do(t, http.MethodGet, "/", "", probeHeader, s.keeper.id)
	require.Equal(t, http.StatusConflict, resp.StatusCode)
}

func TestAdmin(t *testing.T) {
	s := newSite(t, func(http.ResponseWriter, *http.Request) {})
	admin := httptest.NewServer(s.keeper.admin())
	defer admin.Close()
	get := func(path string) (int, string) {
		req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, admin.URL+path, nil)
		require.NoError(t, err)
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, string(body)
	}
	code, body := get("/health")
	require.Equal(t, http.StatusServiceUnavailable, code)
	require.Contains(t, body, `"reason":"starting"`)
	s.keeper.canAnswer()
	code, body = get("/health")
	require.Equal(t, http.StatusOK, code)
	require.JSONEq(t, `{"healthy":true,"role":"leader","epoch":1,"leader":"self:1"}`, body)
	code, _ = get("/live")
	require.Equal(t, http.StatusOK, code)
	s.do(t, http.MethodGet, "/", "")
	require.Eventually(t, func() bool { // a request is measured when its answer has been given
		_, body = get("/metrics")
		return strings.Contains(body, "keeper_request_seconds_count 1\n")
	}, time.Second, time.Millisecond)
	for _, line := range []string{"keeper_epoch 1\n", "keeper_leading 1\n", "# TYPE keeper_requests_total counter\n",
		"keeper_requests_total{by=\"local\"} 1\n", "keeper_request_seconds_bucket{le=\"+Inf\"} 1\n"} {
		require.Contains(t, body, line)
	}
	require.Equal(t, 1, strings.Count(body, "# TYPE keeper_requests_total"))
}

// An address can pass from a leader to another process; what that one answers is nobody's news.
func TestStrangerAtTheLeadersAddress(t *testing.T) {
	for method, want := range map[string]string{http.MethodGet: unsent, http.MethodPost: inDoubt} {
		t.Run(method, func(t *testing.T) {
			stranger := httptest.NewServer(http.NotFoundHandler())
			defer stranger.Close()
			s := newStandbyOf(t, address(stranger))
			resp, _ := s.do(t, method, "/", "")
			refused(t, resp, want)
		})
	}
}

func TestLeaderVouchesForItsAnswersToKeepersOnly(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set(epochHeader, "99") })
	resp, _ := s.do(t, http.MethodGet, "/", "", forwardedHeader, s.keeper.id)
	require.Equal(t, "1", resp.Header.Get(epochHeader))
	resp, _ = s.do(t, http.MethodGet, "/", "")
	require.Empty(t, resp.Header.Get(epochHeader))
	standby := newStandby(t, s)
	resp, _ = standby.do(t, http.MethodGet, "/", "")
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.Empty(t, resp.Header.Get(epochHeader))
}
