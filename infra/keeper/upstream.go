package keeper

import (
	"net"
	"sync"
	"syscall"
	"time"

	"twip/infra/keeper/http1"
)

const (
	dialTime = time.Second
	// freshTime is how long a connection to a server is kept without use: less than Jetty's idle time-out, so that it
	// meets no closed ones.
	freshTime      = 10 * time.Second
	mostIdle       = 256
	upstreamBuffer = 16 << 10
)

// upstream is a connection to the own JVM or to the leader's keeper.
type upstream struct {
	conn    *net.TCPConn
	in      http1.Reader
	peek    peeker
	to      target
	used    time.Time
	checked time.Time // the read deadline that is set
	ended   bool      // the server has closed it, in an orderly way
}

// target is who is asked. One address can be two: a JVM that ended, and the one after it.
type target struct {
	address string
	epoch   uint64
}

// pool keeps connections to one target at a time.
type pool struct {
	mu   sync.Mutex
	to   target
	idle []*upstream // the one used last comes last
}

// take returns a connection on which nothing was sent yet, or one that was used and is open as far as can be known. A
// request that may be sent twice needs no look at one that was used just now.
func (p *pool) take(to target, repeatable bool) (*upstream, error) {
	for {
		u := p.pop(to)
		if u == nil {
			return dial(to)
		}
		unused := time.Since(u.used)
		if repeatable && unused < time.Second || unused < freshTime && u.peek.open() {
			return u, nil
		}
		u.close()
	}
}

func (p *pool) pop(to target) *upstream {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.to != to {
		for _, u := range p.idle {
			u.close()
		}
		p.to, p.idle = to, p.idle[:0]
	}
	if len(p.idle) == 0 {
		return nil
	}
	u := p.idle[len(p.idle)-1]
	p.idle = p.idle[:len(p.idle)-1]
	return u
}

// give takes back a connection whose answer has been read to its end.
func (p *pool) give(u *upstream) {
	u.used = time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.to != u.to || len(p.idle) == mostIdle || len(u.in.Buffered()) > 0 {
		u.close()
		return
	}
	p.idle = append(p.idle, u)
}

func dial(to target) (*upstream, error) {
	conn, err := (&net.Dialer{Timeout: dialTime, KeepAlive: -1}).Dial("tcp", to.address)
	if err != nil {
		return nil, err
	}
	u := &upstream{conn: conn.(*net.TCPConn), to: to}
	u.in = http1.NewReader(conn, upstreamBuffer)
	u.peek.init(u.conn)
	return u, nil
}

func (u *upstream) close() { _ = u.conn.Close() } // nobody waits for anything on it

// send writes head and body.
func (u *upstream) send(head, body []byte) error {
	if len(body) == 0 {
		_, err := u.conn.Write(head)
		return err
	}
	parts := net.Buffers{head, body}
	_, err := parts.WriteTo(u.conn)
	return err
}

// peeker looks whether the other end has closed a connection.
type peeker struct {
	raw    syscall.RawConn
	look   func(fd uintptr)
	isOpen bool
	one    [1]byte
}

func (p *peeker) init(conn syscall.Conn) {
	raw, err := conn.SyscallConn()
	if err != nil { // only of a connection that is not valid, which reads then tell
		return
	}
	p.raw = raw
	p.look = func(fd uintptr) {
		n, _, err := syscall.Recvfrom(int(fd), p.one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		p.isOpen = n > 0 || err == syscall.EAGAIN
	}
}

func (p *peeker) open() bool {
	return p.raw != nil && p.raw.Control(p.look) == nil && p.isOpen
}
