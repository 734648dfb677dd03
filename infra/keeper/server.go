package keeper

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// server accepts the connections of clients. It stands in for net/http's, which costs several times as much a
// request as what is done here.
type server struct {
	proxy     *proxy
	listeners []net.Listener
	stopping  atomic.Bool

	mu      sync.Mutex
	clients map[*client]struct{}
}

func newServer(p *proxy, listeners ...net.Listener) *server {
	return &server{proxy: p, listeners: listeners, clients: map[*client]struct{}{}}
}

// serve accepts what comes to one of the listeners. It returns nil after shutdown has begun.
func (s *server) serve(l net.Listener) error {
	for {
		connection, err := l.Accept()
		var failure net.Error
		switch {
		case err == nil:
			go s.attend(connection)
		case s.stopping.Load():
			return nil
		case errors.As(err, &failure) && failure.Timeout():
			time.Sleep(5 * time.Millisecond) // out of file descriptors: others are about to be closed
		default:
			return err
		}
	}
}

func (s *server) attend(connection net.Conn) {
	c := newClient(s, connection.(stream))
	s.mu.Lock()
	s.clients[c] = struct{}{}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.clients, c)
		s.mu.Unlock()
	}()
	c.serve()
}

// shutdown takes no new connections, closes idle ones, and waits for the others until ctx ends.
func (s *server) shutdown(ctx context.Context) error {
	s.stopping.Store(true)
	var err error
	for _, l := range s.listeners {
		err = errors.Join(err, l.Close())
	}
	for s.closeIdle() > 0 {
		select {
		case <-ctx.Done():
			s.closeAll()
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
	return err
}

// closeIdle returns how many connections are left.
func (s *server) closeIdle() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.clients {
		if c.state.CompareAndSwap(idle, over) {
			_ = c.conn.Close() // nobody waits for anything on it
		}
	}
	return len(s.clients)
}

func (s *server) closeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.clients {
		_ = c.conn.Close() // whatever it was, it is over
	}
}
