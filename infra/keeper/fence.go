package keeper

import (
	"context"
	"errors"
	"sync"
	"time"
)

// fenceTimeout is how long an answer waits for the store before the fence stays shut.
const fenceTimeout = 2 * time.Second

var errFenceTimeout = errors.New("the store did not answer in time")

// fence lets answers pass that wait at the same time by one look at the store, so that a store that hangs holds
// one thread and not one for each request.
type fence struct {
	check func() (epoch uint64, err error)

	mu   sync.Mutex
	next *round // waits for a look that has not begun
	busy bool
}

// round is one look at the store.
type round struct {
	done  chan struct{}
	epoch uint64
	err   error
}

// pass returns nil if epoch was found current by a look that began after the call.
func (g *fence) pass(ctx context.Context, epoch uint64) error {
	ctx, cancel := context.WithTimeoutCause(ctx, fenceTimeout, errFenceTimeout)
	defer cancel()
	r := g.join()
	select {
	case <-r.done:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if r.err == nil && r.epoch != epoch {
		return ErrDeposed
	}
	return r.err
}

func (g *fence) join() *round {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.next == nil {
		g.next = &round{done: make(chan struct{})}
	}
	if !g.busy {
		g.busy = true
		go g.run()
	}
	return g.next
}

func (g *fence) run() {
	for {
		g.mu.Lock()
		r := g.next
		g.next, g.busy = nil, r != nil
		g.mu.Unlock()
		if r == nil {
			return
		}
		r.epoch, r.err = g.check()
		close(r.done)
	}
}
