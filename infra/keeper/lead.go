package keeper

import (
	"errors"
	"fmt"
	"path"
	"time"
)

var (
	errJVMDied   = errors.New("the JVM has ended by itself")
	errJVMSilent = errors.New("the JVM has not answered since its start")
	errJVMHangs  = errors.New("the JVM does not answer any more")
	errStopped   = errors.New("asked to stop")
)

// lead claims the next epoch and leads it. It returns nil when stop was closed, and otherwise why it does not
// lead any more; the JVM is dead then.
func (k *Keeper) lead(why string, began time.Duration, stop <-chan struct{}) error {
	next := k.seen.claim.Epoch + 1
	if next <= k.highest {
		return damaged("it had a claim of epoch %d and has none now; perhaps another file system is mounted", k.highest)
	}
	if err := k.store.inspect(next, k.expect, k.suspects); err != nil {
		return err
	}
	identity, err := k.store.initialize(k.id, next)
	if err != nil {
		return fmt.Errorf("initialize the store: %w", err)
	}
	k.identity = identity
	claim := Claim{Epoch: next, Holder: k.id, Address: k.address, Store: identity, Release: k.release,
		Claimed: time.Now().UTC()}
	if err := k.store.link(claim); err != nil {
		return fmt.Errorf("claim epoch %d: %w", next, err)
	}
	t := k.newTerm(next, stop)
	defer t.end()
	k.setRoute(Route{Epoch: next})
	if err := errors.Join(k.store.confirm(next), t.begun()); err != nil {
		return fmt.Errorf("claim epoch %d: %w", next, err)
	}
	claimed := k.env.Now()
	k.log.Info("claimed", "epoch", next, "why", why, "took", claimed-began)
	if err := t.prepare(why); err != nil {
		return err
	}
	copied := k.env.Now()
	t.state.Store(starting)
	if t.jvm, err = k.env.Start(next); err != nil {
		return fmt.Errorf("start the JVM: %w", err)
	}
	err = t.awaitReady(copied)
	k.blame(t.manifest, err)
	if err == nil {
		ready := k.env.Now()
		k.failures, k.retryAt, k.deposals = 0, 0, 0
		k.resolved()
		k.metrics.tookOver(ready - began)
		t.ready = true
		k.changes.reset(ready)
		k.setRoute(Route{Epoch: next, Self: true})
		k.log.Info("leading", "epoch", next, "why", why, "copy", copied-claimed, "start", ready-copied, "took",
			ready-began)
		err = t.serve()
	}
	if errors.Is(err, errStopped) {
		t.retire()
		return nil
	}
	return err
}

// blame suspects the newest snapshots when a JVM did not start twice: every other attempt goes without them, on the
// snapshot before and the journals, which hold the same.
func (k *Keeper) blame(m Manifest, err error) {
	switch {
	case err == nil:
		k.misstarts, k.suspects = 0, nil
		return
	case !errors.Is(err, errJVMDied) && !errors.Is(err, errJVMSilent):
		return
	}
	k.misstarts++
	if k.misstarts%2 != 0 {
		k.suspects = nil
		return
	}
	k.suspects = map[File]bool{}
	newest := map[string]File{}
	for _, f := range m.Files {
		if _, is := snapshotNumber(path.Base(f.Name)); is && f.Name > newest[path.Dir(f.Name)].Name {
			newest[path.Dir(f.Name)] = f
		}
	}
	for _, f := range newest {
		k.log.Warn("suspecting", "snapshot", f.Name, "bytes", f.Bytes, "misstarts", k.misstarts)
		k.suspects[f] = true
	}
}

// begun waits for the first heartbeat, which shows that the claim is this keeper's.
func (t *term) begun() error {
	err := t.fence.pass()
	t.report(err)
	return err
}

// prepare fills the epoch's directory with the data of the newest complete one.
func (t *term) prepare(why string) error {
	began := t.env.Now()
	src, err := t.store.source(t.epoch, t.suspects)
	if err != nil {
		return err
	}
	if err := t.makeRoom(src); err != nil {
		return err
	}
	t.manifest, err = t.store.fill(t.epoch, src, why, t.suspects, t.hands())
	if err != nil {
		// Space is given back at once; what cannot be removed now is pruned by a later leader.
		return errors.Join(fmt.Errorf("copy epoch %d to epoch %d: %w", src.epoch, t.epoch, err),
			t.store.remove(t.epoch, t.goOn))
	}
	t.log.Info("copied", "epoch", t.epoch, "from", src.epoch, "files", len(t.manifest.Files), "took", t.env.Now()-began)
	return nil
}

// awaitReady waits for the JVM's first answer, and then until the store says that the epoch serves: only after that may
// an answer be given.
func (t *term) awaitReady(since time.Duration) error {
	for !t.jvm.Ready() {
		switch {
		case closed(t.jvm.Exited()):
			return fmt.Errorf("%w before it was ready; its output above says why", errJVMDied)
		case closed(t.stop):
			return errStopped
		case t.env.Now()-since > t.timing.Start:
			return fmt.Errorf("%w, for %s", errJVMSilent, t.timing.Start)
		}
		if err := t.watch(); err != nil {
			return err
		}
		t.env.Wait(20*time.Millisecond, t.jvm.Exited(), t.stop, t.deposed)
	}
	// The snapshot that the JVM has begun with is whole. It may hold changes that were never acknowledged and are in no
	// journal, after which the JVM numbers the next ones: nobody may begin without it from now on.
	if err := t.store.thin(t.epoch, t.goOn); err != nil {
		return err
	}
	t.state.Store(serving)
	for {
		err := t.fence.pass()
		t.report(err)
		if err == nil {
			return nil
		}
		if err := t.watch(); err != nil {
			return err
		}
		switch {
		case closed(t.jvm.Exited()):
			return errJVMDied
		case closed(t.stop):
			return errStopped
		}
		t.env.Wait(20*time.Millisecond, t.jvm.Exited(), t.stop, t.deposed)
	}
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
		if err := t.changes.stuck(t.env.Now(), t.timing.Stuck); err != nil {
			return err
		}
		if err := t.watch(); err != nil {
			return err
		}
		if t.changed.Swap(false) {
			t.thin()
		}
		if t.env.Now() >= t.pruneAt {
			t.prune()
		}
		t.env.Wait(t.timing.Heartbeat, t.jvm.Exited(), t.stop, t.deposed)
	}
}

// silent is how long the JVM has answered nobody. One that has much to do may keep the keeper's own questions
// waiting, and killing it would only add to that.
func (t *term) silent() time.Duration {
	return min(t.jvm.Silent(), t.env.Now()-time.Duration(t.heard.Load()))
}

// watch judges by the last heartbeats. It returns an error when the epoch is over, or the store has failed for long.
func (t *term) watch() error {
	if err := t.goOn(); err != nil {
		return err
	}
	if err := t.trouble(); err != nil {
		// No answer would pass the fence now, and a change that is not acknowledged is in doubt: hold requests.
		t.setRoute(Route{Epoch: t.epoch})
		t.note("store fails", err)
		return nil
	}
	if t.ready {
		t.setRoute(Route{Epoch: t.epoch, Self: true})
		t.canAnswer()
		t.resolved()
	}
	return nil
}

// thin removes what snapshots have superseded.
func (t *term) thin() {
	if err := t.store.thin(t.epoch, t.goOn); err != nil {
		t.changed.Store(true) // try again
		t.note("superseded files cannot be removed", err)
	}
}

// retire ends the epoch in an orderly way, with heartbeats until the JVM has taken its snapshot, and releases it.
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
	t.kill()
	// Prevayler does not sync its snapshot; after this the next leader may rely on it.
	err := t.store.thin(t.epoch, t.goOn)
	if t.state.Load() == serving {
		t.state.Store(released)
	} else {
		t.state.Store(abandoned)
	}
	err = errors.Join(err, t.fence.pass())
	t.end()
	err = errors.Join(err, t.store.release(t.epoch, clean))
	t.log.Info("released", "epoch", t.epoch, "clean", clean, "drain", stopped-began, "stop", t.env.Now()-stopped,
		"error", text(err))
}

func (t *term) wait(d time.Duration) {
	t.env.Wait(d, t.jvm.Exited())
	if err := errors.Join(t.goOn(), t.trouble()); err != nil {
		t.note("store fails while stopping", err)
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
