package keeper_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	loads "twip/infra/load"
)

const (
	rate      = 50 // requests per second
	postShare = 0.4
	titles    = "post"
	// A load balancer gives up on a read that a server does not answer and asks another one.
	readPatience = 5 * time.Second
	// It queues requests that it can connect nowhere, and tries again after a pause.
	queueTime  = 20 * time.Second
	queuePause = 200 * time.Millisecond
)

// load visits the servers of a cluster as people do behind a load balancer.
type load struct {
	*loads.Load
	balancer *balancer
	looking  chan struct{} // closed when nobody looks after the servers' health any more
	stop     chan struct{}
	samples  []loads.Sample // all, once the load has ended
}

// newLoad begins to send.
func newLoad(c *cluster) *load {
	b := &balancer{cluster: c, transport: &http.Transport{MaxIdleConnsPerHost: 100,
		DialContext: (&net.Dialer{Timeout: time.Second}).DialContext}}
	l := &load{balancer: b, looking: make(chan struct{}), stop: make(chan struct{})}
	go l.look()
	l.Load = loads.Start(loads.Options{URL: "http://balancer", Transport: b, Rate: rate, Posts: postShare, Titles: titles,
		Header: "Keeper-Refused"})
	return l
}

// look keeps the health of the servers up to date.
func (l *load) look() {
	defer close(l.looking)
	for {
		for _, s := range l.balancer.cluster.servers {
			s.look()
		}
		select {
		case <-l.stop:
			return
		case <-time.After(500 * time.Millisecond):
		}
	}
}

func (l *load) end() {
	l.samples = l.Stop()
	close(l.stop)
	<-l.looking
}

// posts are those that were answered so far.
func (l *load) posts() []loads.Sample { return loads.Of(l.Samples(), loads.Post) }

// flowing says whether posts have been acknowledged lately.
func (l *load) flowing() bool {
	recent := 0
	for _, s := range l.posts() {
		if s.OK() && time.Since(s.Done) < time.Second {
			recent++
		}
	}
	return recent >= rate*postShare/2
}

// gap is the longest time without an acknowledged post that ended after since.
func (l *load) gap(since time.Time) time.Duration {
	gap, _ := loads.Gap(l.posts(), since, time.Now())
	return gap
}

// account checks, at every server, that each acknowledged post is there, and no post twice.
func (l *load) account(t *testing.T) loads.Tally {
	t.Helper()
	var tally loads.Tally
	for _, s := range l.balancer.cluster.servers {
		tally = loads.Count(l.list(t, s), titles, l.samples)
		require.Empty(t, tally.Lost, "acknowledged posts that %s does not show", s.name)
		require.Empty(t, tally.Doubled, "posts that %s shows twice", s.name)
	}
	return tally
}

// list is the page of all articles, as a server shows it.
func (l *load) list(t *testing.T, s *server) string {
	t.Helper()
	page, err := loads.List(t.Context(), "http://"+s.ip+":8080", time.Minute)
	require.NoError(t, err, "%s cannot be read", s.name)
	return page
}

// balancer asks servers in turns, and another one where that is safe, as a load balancer does.
type balancer struct {
	cluster   *cluster
	transport *http.Transport
	next      atomic.Int64
	retried   atomic.Int64 // reads that a second server answered
}

// server is the next one that is held for healthy; if none is, any.
func (b *balancer) server() string {
	var all, healthy []string
	for _, s := range b.cluster.servers {
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
	return all[int(b.next.Add(1))%len(all)] + ":8080"
}

// RoundTrip has a server answer, whole. A post is sent again only if no server has received it.
func (b *balancer) RoundTrip(req *http.Request) (*http.Response, error) {
	form, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	for first := true; ; first = false {
		res, err := b.try(req, form)
		var dial *net.OpError
		dialed := !errors.As(err, &dial) || dial.Op != "dial"
		read := req.Method == http.MethodGet
		if err == nil && read && !first {
			b.retried.Add(1)
		}
		if err == nil || dialed && !read || time.Since(began) >= queueTime {
			return res, err
		}
		if !dialed {
			time.Sleep(queuePause)
		}
	}
}

func (b *balancer) try(req *http.Request, form []byte) (*http.Response, error) {
	ctx, cancel := req.Context(), func() {}
	if req.Method == http.MethodGet {
		ctx, cancel = context.WithTimeout(ctx, readPatience)
	}
	defer cancel()
	attempt := req.Clone(ctx)
	attempt.URL.Host, attempt.Body = b.server(), io.NopCloser(bytes.NewReader(form))
	if len(form) == 0 {
		attempt.Body = nil
	}
	res, err := b.transport.RoundTrip(attempt)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	return res, nil
}
