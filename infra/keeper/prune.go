package keeper

import (
	"errors"
	"io/fs"
	"path"
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
	pressed  int           // restore points that stay when space is short
}

var defaultRetention = retention{
	claims:   1000,
	least:    5,
	most:     20,
	age:      14 * 24 * time.Hour,
	interval: time.Hour,
	pressed:  2,
}

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
	superfluous, err := t.store.superfluous(t.epoch, t.store.keep)
	if err != nil {
		return false, err
	}
	if len(superfluous) > 0 {
		t.log.Info("removing", "epoch", superfluous[0])
		return true, t.store.remove(superfluous[0], t.goOn)
	}
	// Nobody uses the sessions of an epoch that has ended. Many of them make a restore point slow to remove.
	epochs, err := t.store.numbers(epochsDir)
	if err != nil {
		return false, err
	}
	for _, epoch := range epochs {
		if epoch < t.epoch && !t.tidied[epoch] {
			if err := t.store.removeTree(path.Join(DataDir(epoch), sessions), t.goOn); err != nil {
				return false, err
			}
			t.tidied[epoch] = true
			return true, nil
		}
	}
	return false, nil
}

// superfluous are the epochs below a limit that are no restore points worth keeping, the oldest first. An epoch that
// has released no answer holds nothing that its source has not.
func (s store) superfluous(below uint64, keep retention) ([]uint64, error) {
	epochs, err := s.numbers(epochsDir)
	if err != nil {
		return nil, err
	}
	var superfluous []uint64
	kept := 0
	for _, epoch := range slices.Backward(epochs) {
		if epoch >= below {
			continue
		}
		m, err := s.manifest(epoch)
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, ErrRefused) {
			return nil, err
		}
		complete := err == nil
		seen, sightErr := s.sight(epoch)
		if sightErr != nil {
			return nil, sightErr
		}
		worth := complete && (seen.served || s.restored(epoch)) || seen.served && errors.Is(err, ErrRefused)
		if worth && (kept < keep.least || kept < keep.most && time.Since(m.At) < keep.age) {
			kept++
			continue
		}
		superfluous = append(superfluous, epoch)
	}
	slices.Reverse(superfluous)
	return superfluous, nil
}

// pressed is what is kept when there is no room for a copy.
func (s store) pressed() retention {
	keep := s.keep
	keep.least, keep.most = min(keep.least, keep.pressed), min(keep.most, keep.pressed)
	return keep
}

// reclaimable is how many bytes a leader of epoch next could free without giving up its source and the newest restore
// points.
func (s store) reclaimable(next, source uint64) (sum int64, err error) {
	superfluous, err := s.superfluous(next, s.pressed())
	if err != nil {
		return 0, err
	}
	for _, epoch := range superfluous {
		if epoch == source {
			continue
		}
		files, err := s.files(DataDir(epoch))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return 0, err
		}
		for _, f := range files {
			sum += f.Bytes
		}
	}
	return sum, nil
}

// makeRoom removes restore points, the oldest first, until the copy of src fits.
func (t *term) makeRoom(src source) error {
	var superfluous []uint64
	for first := true; ; first = false {
		free, err := t.store.fs.Free()
		if err != nil || free >= src.bytes()+spare {
			return err
		}
		if first {
			if superfluous, err = t.store.superfluous(t.epoch, t.store.pressed()); err != nil {
				return err
			}
			superfluous = slices.DeleteFunc(superfluous, func(epoch uint64) bool { return epoch == src.epoch })
		}
		if len(superfluous) == 0 {
			return nil // the copy itself finds out; perhaps less than spare is enough
		}
		t.log.Warn("removing", "epoch", superfluous[0], "free", free, "why", "the store is full")
		if err := t.store.remove(superfluous[0], t.goOn); err != nil {
			return err
		}
		superfluous = superfluous[1:]
	}
}

// remove deletes an epoch, its manifest first, so that nobody takes the rest for complete.
func (s store) remove(epoch uint64, progress func() error) error {
	if err := s.fs.Remove(completeName(epoch)); err != nil {
		return err
	}
	return s.removeTree(numbered(epochsDir, epoch), progress)
}

// pruneClaim removes the lowest claim, and its heartbeat, if it is far enough behind epoch.
func (s store) pruneClaim(epoch uint64) (removed bool, err error) {
	claims, err := s.numbers(claimsDir)
	if err != nil || len(claims) == 0 || claims[0]+s.keep.claims >= epoch {
		return false, err
	}
	return true, errors.Join(s.fs.Remove(heartbeatName(claims[0])), s.fs.Remove(claimName(claims[0])))
}
