package keeper

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// term is one epoch that this keeper leads.
type term struct {
	*Keeper
	epoch    uint64
	stop     <-chan struct{}
	fence    fence
	jvm      JVM
	manifest Manifest
	pruneAt  time.Duration // when to look for old epochs again
	ready    bool          // the JVM has answered

	over     chan struct{} // closed when the epoch ends
	deposed  chan struct{} // closed when a newer epoch is seen
	state    atomic.Int32  // index of states
	progress atomic.Int64  // when the work on the epoch last went on, as the environment's time
	changed  atomic.Bool   // files of the data have come or gone

	mu      sync.Mutex
	well    time.Duration // when the store last worked
	problem error         // of the last heartbeat

	// Only looks use what follows, of which there is one at a time.
	tenure   *tenure // nil before the first
	journals journals
	count    uint64        // heartbeats
	beatAt   time.Duration // of the last one
	written  []mark        // in it
	wrote    int32         // its state
}

// states of a term, as heartbeats tell them.
const (
	copying int32 = iota
	starting
	serving
	released
	abandoned // released, and never served
)

// A released epoch keeps the word for an epoch that has served, which keepers that do not know the other look for.
var states = []string{copyingMark, startingMark, servingMark, servingMark + " " + releasedMark, releasedMark}

// progressTime is how long one step of the work on an epoch may take before heartbeats stop: longer than any operation
// on a store that works, and a reason to let another server try.
const progressTime = 30 * time.Second

// newTerm has heartbeats go out for an epoch that was just claimed. Everything else about it may take its time.
func (k *Keeper) newTerm(epoch uint64, stop <-chan struct{}) *term {
	now := k.env.Now()
	t := &term{
		Keeper:   k,
		epoch:    epoch,
		stop:     stop,
		well:     now,
		over:     make(chan struct{}),
		deposed:  make(chan struct{}),
		journals: journals{store: k.store, root: DataDir(epoch)},
		beatAt:   now - time.Hour,
	}
	t.fence.env, t.fence.look = k.env, t.look
	t.progress.Store(int64(now))
	k.term.Store(t)
	k.env.Go(t.beat)
	return t
}

// look is the fence's: it puts on the store how long the journals are, and then looks whether the epoch is current. A
// heartbeat is such a look too, so heartbeats and marks never overtake each other.
func (t *term) look() error {
	now := t.env.Now()
	state := t.state.Load()
	if t.tenure == nil {
		held, err := t.store.begin(t.epoch, t.id)
		if err != nil {
			return err
		}
		t.tenure = held
	}
	due := now-t.beatAt >= t.timing.Heartbeat*9/10
	if due || state != t.wrote { // first, for finding out about the journals may take long
		if err := t.tell(state, t.written); err != nil {
			return err
		}
		t.beatAt = now
	}
	if state >= serving && state != abandoned {
		marks, err := t.journals.look(now, due)
		if err != nil {
			return err
		}
		if t.journals.changed {
			t.journals.changed = false
			t.changed.Store(true)
		}
		if !slices.Equal(marks, t.written) {
			if err := t.tell(state, marks); err != nil {
				return err
			}
		}
	}
	return t.tenure.current()
}

func (t *term) tell(state int32, marks []mark) error {
	t.count++
	if err := t.tenure.beat(heartbeat{t.count, states[state], marks}); err != nil {
		return err
	}
	t.wrote, t.written = state, marks
	return nil
}

// beat has heartbeats go out as long as the work on the epoch goes on. It is apart from that work, so that no single
// operation, however slow, looks like the end of this keeper.
func (t *term) beat() {
	for !closed(t.over) && !closed(t.deposed) {
		if t.env.Now()-time.Duration(t.progress.Load()) < progressTime {
			t.report(t.fence.pass())
		}
		t.env.Wait(t.timing.Heartbeat, t.over)
	}
}

func (t *term) report(err error) {
	now := t.env.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.problem = err
	switch {
	case err == nil:
		t.well = now
	case errors.Is(err, ErrDeposed) && !closed(t.deposed):
		close(t.deposed)
	}
}

// goOn notes progress. Its error ends the work: the epoch is over, or the store has failed for long.
func (t *term) goOn() error {
	now := t.env.Now()
	t.progress.Store(int64(now))
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case closed(t.deposed):
		return ErrDeposed
	case t.problem != nil && !errors.Is(t.problem, errFenceTimeout) && now-t.well > t.timing.ElectionTimeout:
		return &storeFailed{now - t.well, t.problem}
	}
	return nil
}

// storeFailed says that the store has returned errors for too long.
type storeFailed struct {
	long time.Duration
	last error
}

func (e *storeFailed) Error() string {
	return "the store has failed for " + e.long.Round(time.Millisecond).String() + ": " + e.last.Error()
}
func (e *storeFailed) Unwrap() error { return e.last }

// trouble is the last heartbeat's.
func (t *term) trouble() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.problem
}

func (t *term) hands() hands {
	return hands{now: t.env.Now, pause: func(d time.Duration) { t.env.Wait(d, t.deposed) }, progress: t.goOn}
}

// end makes sure that nobody is sent to the JVM and that it is dead.
func (t *term) end() {
	t.setRoute(Route{Epoch: t.epoch})
	t.term.CompareAndSwap(t, nil)
	if !closed(t.over) {
		close(t.over)
	}
	t.fence.shut(func() {
		t.journals.close()
		if t.tenure != nil {
			t.tenure.end()
		}
	})
	t.kill()
}

func (t *term) kill() {
	if t.jvm == nil {
		return
	}
	for !closed(t.jvm.Exited()) {
		t.jvm.Kill()
		t.env.Wait(time.Second, t.jvm.Exited())
	}
}
