package keeper

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"
)

// RestorePoint is a complete epoch.
type RestorePoint struct {
	Manifest
	Bytes   int64     // of its data now, sessions aside
	Until   time.Time // when its data last changed, by the store's clock
	Newest  bool      // the site shows this one
	Damaged error
}

// RestorePoints lists the complete epochs of the store in dir, the newest first, and reads nothing but them. Epochs
// that never served, for their JVM did not start, are left out: they hold nothing that their source has not.
func RestorePoints(dir string) ([]RestorePoint, error) {
	s := newStore(dirFS(dir))
	epochs, err := s.numbers(epochsDir)
	if err != nil {
		return nil, err
	}
	var points []RestorePoint
	for _, epoch := range slices.Backward(epochs) {
		p, err := s.restorePoint(epoch)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		p.Newest = len(points) == 0
		points = append(points, p)
	}
	return points, nil
}

func (s store) restorePoint(epoch uint64) (RestorePoint, error) {
	m, err := s.manifest(epoch)
	if errors.Is(err, fs.ErrNotExist) {
		return RestorePoint{}, err
	}
	seen, sightErr := s.sight(epoch)
	if sightErr != nil {
		return RestorePoint{}, sightErr
	}
	if !seen.served && !s.restored(epoch) {
		return RestorePoint{}, fmt.Errorf("epoch %d has not served: %w", epoch, fs.ErrNotExist)
	}
	p := RestorePoint{Manifest: m, Damaged: err, Until: m.At}
	p.Epoch = epoch
	if err != nil {
		return p, nil
	}
	src, err := s.epochSource(epoch, nil)
	if p.Damaged = err; err == nil {
		src.marks = seen.marks
		p.Damaged = src.missing(src.files)
	}
	for _, f := range src.files {
		p.Bytes += f.Bytes
		if info, err := s.fs.Stat(DataDir(epoch) + "/" + f.Name); err == nil &&
			time.Unix(0, info.Changed).After(p.Until) {
			p.Until = time.Unix(0, info.Changed).UTC()
		}
	}
	return p, nil
}

// Loss is what a restore takes from the site. None of it is deleted: it stays in the epochs that are passed over, as
// long as those are kept.
type Loss struct {
	Point RestorePoint
	Newer []RestorePoint // whose changes the site will not show, the newest first
}

// String says it to people.
func (l Loss) String() string {
	text := fmt.Sprintf("going back to epoch %d: what was posted until %s, %d bytes\n", l.Point.Epoch,
		l.Point.Until.Format(time.RFC3339), l.Point.Bytes)
	if l.Point.Damaged != nil {
		text += fmt.Sprintf("it is damaged: %v\n", l.Point.Damaged)
	}
	if len(l.Newer) == 0 {
		return text + "it is the newest: nothing is lost but what is posted while it is copied\n"
	}
	for _, p := range l.Newer {
		text += fmt.Sprintf("the site loses what was posted in epoch %d, from %s until %s, %d bytes now\n",
			p.Epoch, p.At.Format(time.RFC3339), p.Until.Format(time.RFC3339), p.Bytes)
	}
	return text + fmt.Sprintf("epoch %d stays as a restore point: `keeper restore --store DIR %d` brings that back\n",
		l.Newer[0].Epoch, l.Newer[0].Epoch)
}

// Loses says what going back to an epoch of the store in dir would lose, and changes nothing.
func Loses(dir string, epoch uint64) (Loss, error) {
	points, err := RestorePoints(dir)
	if err != nil {
		return Loss{}, err
	}
	i := slices.IndexFunc(points, func(p RestorePoint) bool { return p.Epoch == epoch })
	if i < 0 {
		return Loss{}, noRestorePoint(epoch)
	}
	return Loss{points[i], points[:i]}, nil
}

func noRestorePoint(epoch uint64) error {
	return fmt.Errorf("epoch %d is no restore point; `keeper epochs` lists them", epoch)
}

// ErrOvertaken says that a keeper claimed an epoch while a restore was copying: the site goes on with the data it had.
var ErrOvertaken = errors.New("overtaken: a keeper took over with the newest data before the copy was complete")

const restoreAttempts = 3

// Restore makes the data of an earlier epoch the newest epoch of the store in dir, and returns its number. A
// leader that runs gives way and a keeper takes over from the restored data. What was written since stays
// in its own epoch. Restore asks nothing of the epochs in between, so it also gets past a damaged one.
func Restore(dir string, epoch uint64) (uint64, error) {
	if err := checkMounted(dir); err != nil {
		return 0, err
	}
	s := newStore(dirFS(dir))
	var next uint64
	var err error
	for range restoreAttempts {
		if next, err = s.restore(epoch); !errors.Is(err, ErrOvertaken) {
			return next, err
		}
	}
	return 0, fmt.Errorf(
		"%w, %d times; nothing was lost, and nothing was restored: try again when no server is starting", err,
		restoreAttempts)
}

func (s store) restore(epoch uint64) (uint64, error) {
	point, err := s.restorePoint(epoch)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, noRestorePoint(epoch)
	}
	if err != nil {
		return 0, err
	}
	if point.Damaged != nil {
		return 0, point.Damaged
	}
	src, err := s.epochSource(epoch, nil)
	if err != nil {
		return 0, err
	}
	newest, err := s.newest(0)
	if err != nil {
		return 0, err
	}
	holder, next := newID(), newest+1
	identity, err := s.initialize(holder, next)
	if err != nil {
		return 0, err
	}
	if err := s.claim(Claim{Epoch: next, Holder: holder, Store: identity, Claimed: time.Now().UTC()}); err != nil {
		if errors.Is(err, ErrTaken) {
			return 0, ErrOvertaken
		}
		return 0, fmt.Errorf("claim epoch %d: %w; try again", next, err)
	}
	held, err := s.begin(next, holder)
	if err != nil {
		return 0, fmt.Errorf("begin epoch %d: %w; try again", next, err)
	}
	defer held.end()
	began := time.Now()
	beat := heartbeat{states: copyingMark}
	progress := func() error {
		beat.count++
		return errors.Join(held.beat(beat), held.current())
	}
	stopBeating := repeat(time.Second, progress) // one chunk may take long
	_, err = s.fill(next, src, fmt.Sprintf("restore of epoch %d", epoch), nil,
		hands{func() time.Duration { return time.Since(began) }, time.Sleep, nothing})
	beaten := stopBeating()
	if err != nil {
		return 0, errors.Join(fmt.Errorf("copy epoch %d to epoch %d: %w", epoch, next, err), s.remove(next, nothing))
	}
	// Whoever claims after this look finds the complete epoch. One who claimed before it may have looked for data
	// before.
	if current := held.current(); errors.Is(current, ErrDeposed) || errors.Is(beaten, ErrDeposed) {
		return next, s.overtaken(next)
	} else if current != nil {
		return 0, fmt.Errorf("epoch %d: whether a keeper was faster is not known; see `keeper epochs`: %w", next, current)
	}
	beat.count, beat.states = beat.count+1, releasedMark
	return next, errors.Join(held.beat(beat), s.release(next, true))
}

// overtaken finds out from which data the keeper that claimed the epoch after a restored one began. nil is the
// restored.
func (s store) overtaken(restored uint64) error {
	for waited := time.Duration(0); waited < overtakenTime; waited += lagPause {
		newest, err := s.newest(0)
		if err != nil {
			return err
		}
		for epoch := restored + 1; epoch <= newest; epoch++ {
			m, err := s.manifest(epoch)
			switch {
			case err == nil && m.Source == restored:
				return nil
			case err == nil: // what was restored must not come into effect at some later takeover
				return errors.Join(ErrOvertaken, s.remove(restored, nothing))
			case !errors.Is(err, fs.ErrNotExist):
				return err
			}
		}
		time.Sleep(lagPause)
	}
	return fmt.Errorf(
		"epoch %d: a keeper claimed the next one and has not said yet from which data it begins; see `keeper epochs`",
		restored)
}

// overtakenTime is how long a restore waits for a keeper that was faster.
const overtakenTime = time.Minute

func nothing() error { return nil }

// repeat calls do again and again until its result is called, which returns the first error.
func repeat(pause time.Duration, do func() error) (stop func() error) {
	over, first := make(chan struct{}), make(chan error, 1)
	go func() {
		for {
			if err := do(); err != nil {
				first <- err
				return
			}
			select {
			case <-over:
				first <- nil
				return
			case <-time.After(pause):
			}
		}
	}()
	return func() error {
		close(over)
		return <-first
	}
}
