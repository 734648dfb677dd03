package keeper

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"
)

// retention says what a leader keeps of the past. The age is the only thing that a wall clock decides.
type retention struct {
	claims   uint64        // behind the newest
	least    int           // restore points that stay, however old
	most     int           // restore points that stay at all
	age      time.Duration // of restore points between the two
	interval time.Duration // between two looks for what need not be kept
}

var defaultRetention = retention{claims: 1000, least: 5, most: 20, age: 14 * 24 * time.Hour, interval: time.Minute}

// prune removes one thing at a time, so that heartbeats go on, until nothing is left to remove.
func (t *term) prune() {
	removed, err := t.pruneEpoch()
	if err == nil && !removed {
		removed, err = t.store.pruneClaim(t.epoch)
	}
	if err != nil {
		t.note("old epochs cannot be removed", err)
	}
	if !removed {
		t.pruneAt = t.env.Now() + t.store.keep.interval
	}
}

// pruneEpoch removes one epoch that is no restore point worth keeping. Only a leader prunes, and only below
// its own complete epoch, so the newest complete epoch always stays.
func (t *term) pruneEpoch() (removed bool, err error) {
	epochs, err := t.store.numbers(epochsDir)
	if err != nil {
		return false, err
	}
	keep, kept := t.store.keep, 0
	for _, epoch := range slices.Backward(epochs) {
		if epoch >= t.epoch {
			continue
		}
		m, err := t.store.manifest(epoch)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
		if err == nil && (kept < keep.least || kept < keep.most && time.Since(m.At) < keep.age) {
			kept++
			continue
		}
		t.log.Info("removing", "epoch", epoch, "restore points", kept)
		return true, t.store.remove(epoch)
	}
	return false, nil
}

// remove deletes an epoch, its manifest first, so that nobody takes the rest for complete.
func (s store) remove(epoch uint64) error {
	if err := s.fs.Remove(completeName(epoch)); err != nil {
		return err
	}
	return s.fs.Remove(numbered(epochsDir, epoch))
}

// pruneClaim removes the lowest claim, and its heartbeat, if it is far enough behind epoch.
func (s store) pruneClaim(epoch uint64) (removed bool, err error) {
	claims, err := s.numbers(claimsDir)
	if err != nil || len(claims) == 0 || claims[0]+s.keep.claims >= epoch {
		return false, err
	}
	return true, errors.Join(s.fs.Remove(heartbeatName(claims[0])), s.fs.Remove(claimName(claims[0])))
}

// RestorePoint is a complete epoch.
type RestorePoint struct {
	Manifest
	Bytes   int64 // of its data now, sessions aside
	Newest  bool
	Damaged error
}

// RestorePoints lists the complete epochs of the store in dir, the newest first, and reads nothing but them.
func RestorePoints(dir string) ([]RestorePoint, error) {
	s := newStore(dirFS(dir))
	epochs, err := s.numbers(epochsDir)
	if err != nil {
		return nil, err
	}
	var points []RestorePoint
	for _, epoch := range slices.Backward(epochs) {
		m, err := s.manifest(epoch)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		p := RestorePoint{Manifest: m, Newest: len(points) == 0, Damaged: err}
		p.Epoch = epoch
		if err == nil {
			src, err := s.epochSource(epoch)
			p.Damaged = err
			for _, f := range src.files {
				p.Bytes += f.Bytes
			}
		}
		points = append(points, p)
	}
	return points, nil
}

// Restore makes the data of an earlier epoch the newest epoch of the store in dir, and returns its number. A
// leader that runs gives way and a keeper takes over from the restored data. What was written since stays
// in its own epoch. Restore asks nothing of the epochs in between, so it also gets past a damaged one.
func Restore(dir string, epoch uint64) (uint64, error) {
	s := newStore(dirFS(dir))
	src, err := s.epochSource(epoch)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return 0, fmt.Errorf("epoch %d is no restore point; `keeper epochs` lists them", epoch)
		}
		return 0, err
	}
	newest, err := s.newest(0)
	if err != nil {
		return 0, err
	}
	next := newest + 1
	if err := s.claim(Claim{Epoch: next, Holder: newID(), Claimed: time.Now().UTC()}); err != nil {
		return 0, fmt.Errorf("claim epoch %d: %w; try again", next, err)
	}
	began := time.Now()
	count := uint64(0)
	progress := func() error {
		count++
		return s.heartbeat(next, count, false)
	}
	now := func() time.Duration { return time.Since(began) }
	if _, err := s.fill(next, src, now, progress); err != nil {
		return 0, errors.Join(fmt.Errorf("copy epoch %d to epoch %d: %w", epoch, next, err), s.remove(next))
	}
	return next, s.release(next, true)
}
