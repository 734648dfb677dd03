package keeper

import (
	"bufio"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// forwardedHeader marks a request that another keeper forwarded; it is not forwarded again.
	forwardedHeader = "Keeper-Forwarded"
	// probeHeader marks a keeper's question whether this one leads and is ready.
	probeHeader = "Keeper-Probe"
	// epochHeader is on every answer that a leader gives to another keeper: the epoch under which the fence let it
	// pass. Whoever answers without it only has an address that a leader had.
	epochHeader = "Keeper-Epoch"
	// refusedHeader is on a keeper's own 503 and says whether the JVM may have received the request.
	refusedHeader = "Keeper-Refused"
	unsent        = "unsent"
	inDoubt       = "in doubt"

	// bodyLimit is how many bytes of a request's body are kept so that it can be sent again.
	bodyLimit = 64 << 10
	// retryAfter is how soon a request is tried again if nothing is known to have changed.
	retryAfter = 100 * time.Millisecond
)

// proxy is the handler in front of the JVM: it sends each request to whoever leads.
type proxy struct {
	keeper    *Keeper
	backend   string        // host:port of the own JVM
	hold      time.Duration // how long a request waits for a leader
	readPaths []string      // actions that change nothing
	held      chan struct{} // a place for each request that is held
	kept      atomic.Int64  // bytes of bodies kept
	keepLimit int64
	local     http.RoundTripper
	remote    http.RoundTripper
	reverse   *httputil.ReverseProxy
}

func newProxy(k *Keeper, o Options) *proxy {
	p := &proxy{keeper: k, backend: o.Backend, hold: o.Hold, readPaths: o.ReadPaths,
		held: make(chan struct{}, o.MaxHeld), keepLimit: int64(o.MaxHeld) * bodyLimit,
		local: transport(), remote: transport()}
	p.reverse = &httputil.ReverseProxy{
		Rewrite:       rewrite,
		Transport:     p,
		FlushInterval: -1,
		ErrorLog:      log.New(io.Discard, "", 0), // clients that go away; refusals are counted
		ErrorHandler:  func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	return p
}

// transport reuses connections for less than Jetty's idle time-out of 30 s, so that it meets no closed ones.
func transport() *http.Transport {
	return &http.Transport{
		DialContext:         (&net.Dialer{Timeout: time.Second}).DialContext,
		MaxIdleConnsPerHost: 256,
		IdleConnTimeout:     10 * time.Second,
		DisableCompression:  true,
	}
}

// rewrite keeps the host and X-Forwarded-* that an edge proxy set, and sets what is absent. ReverseProxy has
// removed the hop-by-hop headers.
func rewrite(r *httputil.ProxyRequest) {
	r.Out.URL.Scheme = "http"
	r.Out.Host = r.In.Host
	r.Out.Header.Del("Connection")
	r.Out.Header.Del("Upgrade")
	r.SetXForwarded()
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
		if values, ok := r.In.Header[name]; ok {
			r.Out.Header[name] = values
		}
	}
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get(probeHeader) != "" {
		if !p.keeper.Route().Self {
			w.WriteHeader(http.StatusServiceUnavailable)
		} else {
			w.WriteHeader(http.StatusNoContent)
		}
		return
	}
	began := time.Now()
	defer func() { p.keeper.metrics.observe(time.Since(began)) }()
	p.reverse.ServeHTTP(w, r)
}

// outcome is what is known of a request after a try.
type outcome int

const (
	answered  outcome = iota
	notSent           // no JVM received it
	uncertain         // a JVM may have carried it out, and the answer may not be given
)

// RoundTrip tries until there is an answer that may be given. Its own refusals are answers, not errors.
func (p *proxy) RoundTrip(req *http.Request) (*http.Response, error) {
	b, err := p.body(req)
	if err != nil {
		return nil, err
	}
	defer b.release()
	forwarded := req.Header.Get(forwardedHeader) != ""
	repeatable := p.repeatable(req)
	waiting := &wait{proxy: p, ctx: req.Context(), deadline: time.Now().Add(p.hold)}
	defer waiting.done()
	for {
		p.keeper.inFlight.Add(1) // before the look at the route, so that an orderly stop misses none
		route := p.keeper.Route()
		var resp *http.Response
		result := notSent
		switch {
		case route.Self:
			resp, result = p.tryLocal(req, b, route.Epoch, repeatable)
		default:
			p.keeper.inFlight.Add(-1)
			if route.Address != "" && forwarded {
				return p.refuse(req, unsent), nil
			}
			if route.Address != "" {
				resp, result = p.tryRemote(req, b, route, repeatable)
			}
		}
		switch {
		case result == answered:
			return resp, nil
		case result == uncertain && !repeatable:
			return p.refuse(req, inDoubt), nil
		case b.spent():
			return p.refuse(req, unsent), nil
		}
		if err := req.Context().Err(); err != nil {
			return nil, err
		}
		if !waiting.more(route.Changed) {
			return p.refuse(req, unsent), nil
		}
	}
}

// repeatable says that sending req twice does no harm. Struts runs actions for GET as well, and takes an action
// from a parameter's name, so a query makes any request one that may change data.
func (p *proxy) repeatable(req *http.Request) bool {
	switch req.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
	default:
		return false
	}
	path, _, _ := strings.Cut(req.URL.Path, ";")
	return req.URL.RawQuery == "" && req.ContentLength == 0 &&
		(!strings.HasSuffix(path, ".action") || slices.Contains(p.readPaths, path))
}

// tryLocal asks the own JVM, and the fence whether its answer may be given. The caller has counted it in flight.
func (p *proxy) tryLocal(req *http.Request, b *body, epoch uint64, repeatable bool) (*http.Response, outcome) {
	done := func() { p.keeper.inFlight.Add(-1) }
	out, sent := b.attempt(req.Context(), req, p.backend, repeatable)
	if !repeatable {
		p.keeper.ChangeBegins()
	}
	resp, err := p.local.RoundTrip(out)
	if !repeatable {
		p.keeper.ChangeEnds(err == nil && resp.StatusCode < http.StatusInternalServerError)
	}
	if err != nil {
		done()
		return nil, failure(sent)
	}
	p.keeper.heard.Store(int64(p.keeper.env.Now()))
	if err := p.keeper.MayAnswer(epoch); err != nil {
		resp.Body.Close()
		done()
		p.keeper.metrics.fenceShut.Add(1)
		return nil, uncertain
	}
	resp.Header.Del(refusedHeader)
	resp.Header.Del(epochHeader)
	if req.Header.Get(forwardedHeader) != "" {
		resp.Header.Set(epochHeader, strconv.FormatUint(epoch, 10))
	}
	p.keeper.metrics.local.Add(1)
	answer := io.ReadCloser(&closing{resp.Body, done})
	if !repeatable && resp.ContentLength != 0 {
		answer = fencedBody{bufio.NewReader(answer), answer, func() error { return p.keeper.MayAnswer(epoch) }}
	}
	resp.Body = answer
	return resp, answered
}

// tryRemote asks the leader, until another one is known to have taken over.
func (p *proxy) tryRemote(req *http.Request, b *body, route Route, repeatable bool) (*http.Response, outcome) {
	ctx, cancel := context.WithCancel(req.Context())
	headers := make(chan struct{})
	go p.cancelWhenSucceeded(ctx, cancel, route, headers)
	out, sent := b.attempt(ctx, req, route.Address, repeatable)
	out.Header.Set(forwardedHeader, "1")
	resp, err := p.remote.RoundTrip(out)
	close(headers)
	if err != nil {
		cancel()
		return nil, failure(sent)
	}
	if resp.Header.Get(refusedHeader) == unsent {
		resp.Body.Close()
		cancel()
		return nil, notSent
	}
	if resp.Header.Get(refusedHeader) == "" && resp.Header.Get(epochHeader) == "" {
		resp.Body.Close()
		cancel()
		return nil, uncertain
	}
	resp.Header.Del(epochHeader)
	p.keeper.metrics.forwarded.Add(1)
	resp.Body = &closing{resp.Body, cancel}
	return resp, answered
}

func (p *proxy) cancelWhenSucceeded(ctx context.Context, cancel func(), route Route, headers <-chan struct{}) {
	for now := route; now.Epoch == route.Epoch; now = p.keeper.Route() {
		select {
		case <-now.Changed:
		case <-headers:
			return
		case <-ctx.Done():
			return
		}
	}
	cancel()
}

func failure(sent *atomic.Bool) outcome {
	if sent.Load() {
		return uncertain
	}
	return notSent
}

// refuse makes the answer of a keeper that has none of the application's.
func (p *proxy) refuse(req *http.Request, why string) *http.Response {
	text := "No application server could take this request. It was not carried out; try again.\n"
	if why == inDoubt {
		text = "The application server was lost while it worked on this request. " +
			"Whether it was carried out is not known; look before you try again.\n"
		p.keeper.metrics.inDoubt.Add(1)
	} else {
		p.keeper.metrics.unsent.Add(1)
	}
	// Not the path or the query: they may be a reader's own words. Production counts these lines.
	p.keeper.log.Warn("refused", "state", why, "method", req.Method)
	return &http.Response{
		StatusCode: http.StatusServiceUnavailable, ProtoMajor: 1, ProtoMinor: 1, Request: req,
		Header: http.Header{"Retry-After": {"1"}, refusedHeader: {why}, "Cache-Control": {"no-store"},
			"Content-Type": {"text/plain; charset=utf-8"}},
		Body: io.NopCloser(strings.NewReader(text)), ContentLength: int64(len(text)),
	}
}

// wait is the time a request is held. It takes one of a limited number of places.
type wait struct {
	proxy    *proxy
	ctx      context.Context
	deadline time.Time
	placed   bool
}

// more waits for a change, and returns false if the request has to be refused.
func (w *wait) more(changed <-chan struct{}) bool {
	if !w.placed {
		select {
		case w.proxy.held <- struct{}{}:
			w.placed = true
			w.proxy.keeper.metrics.held.Add(1)
		default:
			return false
		}
	}
	left := time.Until(w.deadline)
	if left <= 0 {
		return false
	}
	timer := time.NewTimer(min(left, retryAfter))
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	case <-w.ctx.Done():
	}
	return true
}

func (w *wait) done() {
	if w.placed {
		<-w.proxy.held
	}
}
