package keeper

import (
	"bytes"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"twip/infra/keeper/http1"
)

const (
	// forwardedHeader marks a request that another keeper forwarded; it is not forwarded again. Its value is the holder
	// of the claim that the sender follows, which nobody knows who cannot read the store.
	forwardedHeader = "Keeper-Forwarded"
	// probeHeader marks a keeper's question whether this one leads and is ready. Its value is as above.
	probeHeader = "Keeper-Probe"
	// epochHeader is on every answer that a leader gives to another keeper: the epoch under which the fence let it
	// pass. Whoever answers without it only has an address that a leader had.
	epochHeader = "Keeper-Epoch"
	// refusedHeader is on a keeper's own 503 and says whether the JVM may have received the request.
	refusedHeader = "Keeper-Refused"
	unsent        = "unsent"
	inDoubt       = "in doubt"

	// bodyLimit is the largest body of a request, in bytes.
	bodyLimit = 128 << 10
	// retryAfter is how soon a request is tried again if nothing is known to have changed.
	retryAfter = 100 * time.Millisecond
)

// proxy sends each request to whoever leads.
type proxy struct {
	keeper    *Keeper
	backend   string        // host:port of the own JVM
	hold      time.Duration // how long a request waits for a leader
	readPaths [][]byte      // pages that change nothing
	held      chan struct{} // a place for each request that is held
	kept      atomic.Int64  // bytes reserved for bodies
	keepLimit int64
	maxBody   int64
	local     pool
	remote    pool
}

func newProxy(k *Keeper, o Options) *proxy {
	p := &proxy{keeper: k, backend: o.Backend, hold: o.Hold, readPaths: [][]byte{[]byte("/")},
		held: make(chan struct{},
			o.MaxHeld), keepLimit: max(int64(o.MaxHeld)*keptBuffer, bodyLimit), maxBody: bodyLimit}
	for _, path := range o.ReadPaths {
		p.readPaths = append(p.readPaths, []byte(path))
	}
	return p
}

// transport is for the few questions that are no client's requests.
func transport() *http.Transport {
	return &http.Transport{
		DialContext:         (&net.Dialer{Timeout: dialTime}).DialContext,
		MaxIdleConnsPerHost: 1,
		IdleConnTimeout:     freshTime,
		DisableCompression:  true,
	}
}

// outcome is what is known of a request after a try.
type outcome int

const (
	answered  outcome = iota
	notSent           // no JVM received it
	uncertain         // a JVM may have carried it out, and the answer may not be given
	last              // answered, and the connection cannot be used again
	cut               // the answer is incomplete, or there is nobody to read it
)

// answer tries until there is an answer that may be given, and gives it.
func (c *client) answer(began time.Time) outcome {
	p := c.proxy
	switch c.readCluster() {
	case probed:
		return c.answerProbe()
	case misdirected:
		return c.answerMisdirected()
	}
	c.repeatable = p.repeatable(&c.request)
	for {
		c.enterJVM() // before the look at the route, so that an orderly stop misses none
		route := p.keeper.Route()
		result := notSent
		switch {
		case route.Self:
			result = c.try(&p.local, target{p.backend, route.Epoch}, route)
			c.leaveJVM()
		default:
			c.leaveJVM()
			if route.Address != "" && c.forwarded {
				return c.refuse(unsent)
			}
			if route.Address != "" {
				result = c.try(&p.remote, target{route.Address, route.Epoch}, route)
			}
		}
		switch {
		case result != notSent && result != uncertain:
			return result
		case result == uncertain && !c.repeatable:
			return c.refuse(inDoubt)
		case !c.peek.open():
			return cut
		case !c.wait(began.Add(p.hold), route.Changed):
			return c.refuse(unsent)
		}
	}
}

// repeatable says that sending r twice does no harm. Only pages that are listed do: Struts takes an action from a
// parameter's name, from a path without an extension and around parameters of the path, and runs it for GET as well.
func (p *proxy) repeatable(r *http1.Request) bool {
	switch string(r.Method) {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
	default:
		return false
	}
	if r.Length != 0 {
		return false
	}
	path, session, found := bytes.Cut(r.Target, []byte(";"))
	if found && (!bytes.HasPrefix(session, []byte("jsessionid=")) || bytes.ContainsAny(session, "/;?%")) {
		return false
	}
	for _, page := range p.readPaths {
		if bytes.Equal(path, page) {
			return true
		}
	}
	return false
}

// What a request says about keepers.
type clusterWord int

const (
	ofVisitor clusterWord = iota
	probed
	misdirected // meant for another keeper than this
)

// readCluster finds out whether another keeper sent the request. Only the store tells the holder of a claim, so a
// visitor's word has another form or another value; the first is not heeded.
func (c *client) readCluster() clusterWord {
	c.forwarded = false
	word := ofVisitor
	for i := range c.request.Fields {
		f := &c.request.Fields[i]
		if f.Kind != http1.Cluster || !isHolder(f.Value) {
			continue
		}
		probe := http1.Is(f.Name, strings.ToLower(probeHeader))
		switch {
		case !probe && !http1.Is(f.Name, strings.ToLower(forwardedHeader)):
		case string(f.Value) != c.proxy.keeper.id:
			word = misdirected
		case probe:
			word = probed
		default:
			c.forwarded = true
		}
	}
	return word
}

// isHolder says that a value has the form of a claim's holder; see newID.
func isHolder(value []byte) bool {
	if len(value) != holderLength {
		return false
	}
	for _, b := range value {
		if (b < '0' || b > '9') && (b < 'a' || b > 'f') {
			return false
		}
	}
	return true
}

// wait holds the request until something changes, and returns false if it has to be refused.
func (c *client) wait(deadline time.Time, changed <-chan struct{}) bool {
	if !c.placed {
		select {
		case c.proxy.held <- struct{}{}:
			c.placed = true
			c.proxy.keeper.metrics.held.Add(1)
		default:
			return false
		}
	}
	left := time.Until(deadline)
	if left <= 0 {
		return false
	}
	timer := time.NewTimer(min(left, retryAfter))
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	}
	return true
}
