package keeper

import (
	"net"
	"runtime/debug"
	"sync/atomic"
	"time"

	"twip/infra/keeper/http1"
)

const (
	// headTime is how long a client may take to send a head, and bodyTime a body.
	headTime = 10 * time.Second
	bodyTime = 30 * time.Second
	// idleTime is how long a connection is kept for the next request: longer than load balancers keep theirs, so that
	// they never send on one that is being closed.
	idleTime = 75 * time.Second
	// writeTime is how long a client may leave a part of an answer unread.
	writeTime = time.Minute
	// deadlineSlack is by how much a deadline may be early, so that not every request has to set them.
	deadlineSlack = 5 * time.Second

	clientBuffer = 4 << 10
	// keptBuffer is the largest buffer that a connection keeps between two requests.
	keptBuffer = 32 << 10
)

// States of a client's connection.
const (
	busy int32 = iota
	idle
	over
)

// client is a connection, and the request on it that is worked on. All its buffers are used again.
type client struct {
	server *server
	proxy  *proxy
	conn   stream
	in     http1.Reader
	peek   peeker
	state  atomic.Int32

	request    http1.Request
	response   http1.Response
	repeatable bool   // sending the request twice does no harm
	forwarded  bool   // by another keeper, which has to be told under which epoch the answer was let through
	body       []byte // of the request, whole
	out        []byte // what is being written
	reserved   int64  // of the proxy's bytes for bodies
	inFlight   bool   // counted as a request at the own JVM
	placed     bool   // has one of the places for requests that are held

	readBy, writeBy time.Time // the deadlines that are set
}

func newClient(s *server, conn stream) *client {
	c := &client{server: s, proxy: s.proxy, conn: conn, in: http1.NewReader(conn, clientBuffer)}
	c.peek.init(conn)
	return c
}

// serve works on one request after the other until the connection ends.
func (c *client) serve() {
	defer func() {
		c.done()
		if problem := recover(); problem != nil { // the site is worth more than a connection
			c.proxy.keeper.log.Error("a request ended the work on its connection", "error", problem, "stack",
				string(debug.Stack()))
		}
		_ = c.conn.Close() // what had to be said has been said
	}()
	for first := true; c.next(first); first = false {
		began := time.Now()
		ended := c.answer(began)
		c.proxy.keeper.metrics.observe(time.Since(began))
		c.done()
		switch {
		case ended == cut:
			c.reset()
			return
		case ended == last || c.closes():
			c.linger()
			return
		}
	}
}

// reset has the connection end so that it cannot be taken for the end of an answer: a client of HTTP/1.0 knows only by
// a reset that there is more to come. A socket of the same machine has none, and its client is a proxy that speaks 1.1.
func (c *client) reset() {
	if tcp, ok := c.conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // fails only on a closed connection
	}
}

// closes says that the connection ends after this request.
func (c *client) closes() bool { return c.request.Close || c.server.stopping.Load() }

// next reads a request with its body. It returns false if the connection is over, or was refused the request.
func (c *client) next(first bool) bool {
	limit := idleTime
	if first {
		limit = headTime
	} else if !c.rest() {
		return false
	}
	for waiting := len(c.in.Buffered()) == 0; ; {
		head, refusal := c.in.Head()
		if refusal == nil && head != nil {
			if !c.wake() {
				return false
			}
			if refusal = c.request.Parse(head); refusal == nil {
				return c.readBody(head)
			}
		}
		if refusal != nil {
			c.reject(refusal)
			return false
		}
		if !waiting {
			limit = headTime
		}
		c.allowRead(limit, waiting)
		if c.in.Fill() != nil || !c.wake() {
			return false
		}
		waiting = false
	}
}

// rest marks the connection as one that a server that stops may close, unless the next request is here already.
func (c *client) rest() bool {
	if cap(c.body) > keptBuffer {
		c.body = nil
	}
	if cap(c.out) > keptBuffer {
		c.out = nil
	}
	return len(c.in.Buffered()) > 0 || c.state.CompareAndSwap(busy, idle)
}

func (c *client) wake() bool {
	return c.state.Load() == busy || c.state.CompareAndSwap(idle, busy)
}

// allowRead gives the client time to send. Setting a deadline costs more than the rest of this file, so one that is
// nearly right stays if that is good enough.
func (c *client) allowRead(limit time.Duration, roughly bool) {
	by := time.Now().Add(limit)
	if early := by.Sub(c.readBy); roughly && early >= 0 && early < deadlineSlack {
		return
	}
	c.readBy = by
	_ = c.conn.SetReadDeadline(by) // fails only on a closed connection, as the read then does
}

// write gives the client time to take what is sent.
func (c *client) write(data []byte) bool {
	if by := time.Now().Add(writeTime); by.Sub(c.writeBy) >= deadlineSlack {
		c.writeBy = by
		_ = c.conn.SetWriteDeadline(by) // as above
	}
	_, err := c.conn.Write(data)
	return err == nil
}

// done gives back what a request took, however it ended.
func (c *client) done() {
	p := c.proxy
	if c.reserved > 0 {
		p.kept.Add(-c.reserved)
		c.reserved = 0
	}
	c.leaveJVM()
	if c.placed {
		<-p.held
		c.placed = false
	}
}

func (c *client) enterJVM() {
	c.proxy.keeper.inFlight.Add(1)
	c.inFlight = true
}

func (c *client) leaveJVM() {
	if c.inFlight {
		c.proxy.keeper.inFlight.Add(-1)
		c.inFlight = false
	}
}

// lingerTime is how long a client has for reading an answer whose request was not read to its end: closing at once
// would reset the connection, and the answer be lost.
const lingerTime = 500 * time.Millisecond

func (c *client) linger() {
	c.done()
	if c.conn.CloseWrite() != nil {
		return
	}
	c.allowRead(lingerTime, false)
	for {
		c.in.Take(len(c.in.Buffered()))
		if c.in.Fill() != nil {
			return
		}
	}
}
