package keeper

import (
	"errors"
	"fmt"
	"time"
)

// term is one epoch that this keeper leads.
type term struct {
	*Keeper
	epoch   uint64
	stop    <-chan struct{}
	jvm     JVM
	count   uint64        // heartbeats
	beatAt  time.Duration // when it last heartbeat
	well    time.Duration // when the store last worked
	pruneAt time.Duration // when to look for old epochs again
	serving bool          // the JVM has been started
	ready   bool          // it has answered
}

var (
	errJVMDied  = errors.New("the JVM has ended by itself")
	errJVMHangs = errors.New("the JVM does not answer any more")
	errStopped  = errors.New("asked to stop")
)

// lead claims the next epoch and leads it. It returns nil when stop was closed, and otherwise why it does not
// lead any more; the JVM is dead then.
func (k *Keeper) lead(why string, began time.Duration, stop <-chan struct{}) error {
	next := k.seen.claim.Epoch + 1
	if next <= k.highest {
		return damaged("it had a claim of epoch %d and has none now; perhaps another file system is mounted", k.highest)
	}
	if err := k.store.inspect(next); err != nil {
		return err
	}
	if next == 1 {
		if err := k.store.initialize(k.id); err != nil {
			return fmt.Errorf("initialize the store: %w", err)
		}
	}
	err := k.store.claim(Claim{Epoch: next, Holder: k.id, Address: k.address, Claimed: time.Now().UTC()})
	if err != nil {
		return fmt.Errorf("claim epoch %d: %w", next, err)
	}
	k.setRoute(Route{Epoch: next})
	claimed := k.env.Now()
	k.log.Info("claimed", "epoch", next, "why", why, "took", claimed-began)
	t := &term{Keeper: k, epoch: next, stop: stop, well: claimed}
	defer t.end()
	if err := t.prepare(); err != nil {
		return err
	}
	copied := k.env.Now()
	if t.jvm, err = k.env.Start(next); err != nil {
		return fmt.Errorf("start the JVM: %w", err)
	}
	if err = t.awaitReady(copied); err == nil {
		ready := k.env.Now()
		k.failures, k.retryAt = 0, 0
		k.resolved()
		k.metrics.tookOver(ready - began)
		t.ready = true
		k.setRoute(Route{Epoch: next, Self: true})
		k.log.Info("leading", "epoch", next, "why", why, "copy", copied-claimed, "start", ready-copied, "took", ready-began)
		err = t.serve()
	}
	if errors.Is(err, errStopped) {
		t.retire()
		return nil
	}
	return err
}

// prepare fills the epoch's directory with the data of the newest complete one.
func (t *term) prepare() error {
	if err := t.heartbeat(); err != nil {
		return err
	}
	began := t.env.Now()
	src, err := t.store.source(t.epoch)
	if err != nil {
		return err
	}
	m, err := t.store.fill(t.epoch, src, t.env.Now, t.heartbeatIfDue)
	if err != nil {
		// Space is given back at once; what cannot be removed now is pruned by a later leader.
		return errors.Join(fmt.Errorf("copy epoch %d to epoch %d: %w", src.epoch, t.epoch, err), t.store.remove(t.epoch))
	}
	t.log.Info("copied", "epoch", t.epoch, "from", src.epoch, "files", len(m.Files), "took", t.env.Now()-began)
	return nil
}

// awaitReady waits for the JVM's first answer. From the JVM's start on the epoch counts as one that served.
func (t *term) awaitReady(since time.Duration) error {
	t.serving = true
	if err := t.heartbeat(); err != nil {
		return err
	}
	for !t.jvm.Ready() {
		switch {
		case closed(t.jvm.Exited()):
			return fmt.Errorf("%w before it was ready; its output above says why", errJVMDied)
		case closed(t.stop):
			return errStopped
		case t.env.Now()-since > t.timing.Start:
			return fmt.Errorf("the JVM has not answered within %s of its start", t.timing.Start)
		}
		if err := t.watch(); err != nil {
			return err
		}
		t.env.Wait(20*time.Millisecond, t.jvm.Exited(), t.stop)
	}
	return nil
}

// serve keeps the epoch until it ends.
func (t *term) serve() error {
	for {
		switch {
		case closed(t.stop):
			return errStopped
		case closed(t.jvm.Exited()):
			return errJVMDied
		case t.silent() > t.timing.Hang:
			return fmt.Errorf("%w: silent for %s", errJVMHangs, t.silent().Round(time.Millisecond))
		}
		if err := t.watch(); err != nil {
			return err
		}
		if t.env.Now() >= t.pruneAt {
			t.prune()
		}
		t.env.Wait(t.timing.Heartbeat, t.jvm.Exited(), t.stop)
	}
}

// silent is how long the JVM has answered nobody. One that has much to do may keep the keeper's own questions
// waiting, and killing it would only add to that.
func (t *term) silent() time.Duration {
	return min(t.jvm.Silent(), t.env.Now()-time.Duration(t.heard.Load()))
}

// watch heartbeats when it is due. It returns an error when the epoch is over, or the store has failed for long.
func (t *term) watch() error {
	err := t.heartbeatIfDue()
	now := t.env.Now()
	switch {
	case err == nil:
		t.well = now
		if t.ready {
			t.setRoute(Route{Epoch: t.epoch, Self: true})
			t.canAnswer()
			t.resolved()
		}
		return nil
	case errors.Is(err, ErrDeposed):
		return err
	case now-t.well > t.timing.ElectionTimeout:
		return fmt.Errorf("the store has failed for %s: %w", now-t.well, err)
	}
	// No answer would pass the fence now, and a change that is not acknowledged is in doubt: hold requests.
	t.setRoute(Route{Epoch: t.epoch})
	t.note("store fails", err)
	return nil
}

func (t *term) heartbeatIfDue() error {
	if t.env.Now()-t.beatAt < t.timing.Heartbeat*9/10 {
		return nil
	}
	return t.heartbeat()
}

func (t *term) heartbeat() error {
	if err := t.store.current(t.epoch, t.id); err != nil {
		return err
	}
	t.count++
	if err := t.store.heartbeat(t.epoch, t.count, t.serving); err != nil {
		return fmt.Errorf("heartbeat: %w", err)
	}
	t.beatAt = t.env.Now()
	return nil
}

// retire ends the epoch in an orderly way, beating until the JVM has taken its snapshot, and releases it.
func (t *term) retire() {
	began := t.env.Now()
	t.setRoute(Route{Epoch: t.epoch})
	for t.inFlight.Load() > 0 && !closed(t.jvm.Exited()) && t.env.Now()-began < t.timing.Drain {
		t.wait(20 * time.Millisecond)
	}
	stopped := t.env.Now()
	if t.jvm.Ready() { // a snapshot of a system that is still being recovered would not hold everything
		t.jvm.Stop()
	} else {
		t.jvm.Kill()
	}
	for !closed(t.jvm.Exited()) && t.env.Now()-stopped < t.timing.Stop {
		t.wait(t.timing.Heartbeat)
	}
	clean := closed(t.jvm.Exited())
	t.end()
	err := t.store.release(t.epoch, clean)
	t.log.Info("released", "epoch", t.epoch, "clean", clean, "drain", stopped-began, "stop", t.env.Now()-stopped, "error", text(err))
}

func (t *term) wait(d time.Duration) {
	t.env.Wait(d, t.jvm.Exited())
	if err := t.heartbeatIfDue(); err != nil {
		t.note("store fails while stopping", err)
	}
}

// end makes sure that nobody is sent to the JVM and that it is dead.
func (t *term) end() {
	t.setRoute(Route{Epoch: t.epoch})
	if t.jvm == nil {
		return
	}
	for !closed(t.jvm.Exited()) {
		t.jvm.Kill()
		t.env.Wait(time.Second, t.jvm.Exited())
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
