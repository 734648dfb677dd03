package keeper

import (
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
	env  Environment
	look func() error // nil if answers that were there when it began may go out; never called twice at once

	mu   sync.Mutex
	next *round // waits for a look that has not begun
	busy bool
	took time.Duration // by the last look
	over func()        // to be called when no look goes on any more, nor will
}

// round is one look at the store.
type round struct {
	done chan struct{}
	err  error
}

// pass returns nil if a look that began after the call found that answers may go out.
func (f *fence) pass() error {
	r := f.join()
	if r == nil {
		return ErrDeposed
	}
	f.env.Wait(fenceTimeout, r.done)
	if !closed(r.done) {
		return errFenceTimeout
	}
	return r.err
}

// quickLook is how long a look may take that the one who waits for it makes himself. To wake another goroutine for it,
// and be woken by it, costs more than a look at a local disk.
const quickLook = time.Millisecond

// passAtOnce is pass for requests. While looks are quick, the one who finds nobody looking looks himself; should the
// store hang just then, he waits as long as it hangs, and all others no longer than fenceTimeout.
func (f *fence) passAtOnce() error {
	f.mu.Lock()
	if f.over != nil || f.busy || f.took > quickLook {
		f.mu.Unlock()
		return f.pass()
	}
	f.busy = true
	f.mu.Unlock()
	err := f.timed()
	f.mu.Lock()
	over := f.over
	if f.busy = f.next != nil; f.busy {
		f.env.Go(f.run)
		over = nil // run calls it
	}
	f.mu.Unlock()
	if over != nil {
		over()
	}
	return err
}

func (f *fence) timed() error {
	began := f.env.Now()
	err := f.look()
	took := f.env.Now() - began
	f.mu.Lock()
	f.took = took
	f.mu.Unlock()
	return err
}

func (f *fence) join() *round {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over != nil {
		return nil
	}
	if f.next == nil {
		f.next = &round{done: make(chan struct{})}
	}
	if !f.busy {
		f.busy = true
		f.env.Go(f.run)
	}
	return f.next
}

func (f *fence) run() {
	for {
		f.mu.Lock()
		r := f.next
		f.next, f.busy = nil, r != nil
		over := f.over
		f.mu.Unlock()
		if r == nil {
			if over != nil {
				over()
			}
			return
		}
		r.err = f.timed()
		close(r.done)
	}
}

// shut lets nothing pass from now on, and calls over once no look goes on: at once, or when the store answers.
// Shutting it again does nothing.
func (f *fence) shut(over func()) {
	f.mu.Lock()
	again, busy := f.over != nil, f.busy
	if !again {
		f.over = over
	}
	f.mu.Unlock()
	if !again && !busy {
		over()
	}
}

// MayAnswer is the one question that every answer of the own JVM waits for, whatever the method: whether it may be
// given, the epoch in which the JVM was asked being current still. All that wait at the same time share one look.
func (k *Keeper) MayAnswer(epoch uint64) error {
	t := k.term.Load()
	if t == nil || t.epoch != epoch {
		return ErrDeposed
	}
	return t.fence.passAtOnce()
}
