package keeper

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// ErrRefused marks a store that the keeper will not touch: damaged, full, or of an unknown layout.
var ErrRefused = errors.New("store refused, and left as it is")

func damaged(format string, args ...any) error {
	return fmt.Errorf(
		"%w: damaged: %s; `keeper epochs` lists what there is, and `keeper restore` puts an earlier epoch back; "+
			"it says first what is lost by that", ErrRefused, fmt.Sprintf(format, args...))
}

// spare is what stays free after a copy, so that the new epoch can be written to as well.
const spare = 16 << 20

// inspect refuses a store in which epoch next could not be led. It changes nothing. expect is Options.Expect.
func (s store) inspect(next uint64, expect string, suspects map[File]bool) error {
	fresh, err := s.layout()
	if err != nil {
		return err
	}
	if fresh && next > 1 {
		return damaged("%s is missing", layoutName)
	}
	if err := s.expected(expect, fresh); err != nil {
		return err
	}
	if err := s.claimed(next); err != nil {
		return err
	}
	src, err := s.source(next, suspects)
	if err != nil {
		return err
	}
	free, err := s.fs.Free()
	need := src.bytes() + spare
	if err != nil || free >= need {
		return err
	}
	reclaimable, err := s.reclaimable(next, src.epoch)
	if err == nil && free+reclaimable < need {
		err = fmt.Errorf(
			"%w: full: %d bytes are free, and %d more without older restore points; a copy of epoch %d needs %d; "+
				"free or add space", ErrRefused, free, reclaimable, src.epoch, need)
	}
	return err
}

// ExpectEnv names the variable with the store that is expected, for want of --expect.
const ExpectEnv = "TWIP_EXPECT"

// Present, as an expected store, is any that a keeper has used.
const Present = "present"

// expected refuses another store than the one that was meant, above all an empty one in its place: beginning there
// would show visitors a site without its data.
func (s store) expected(expect string, fresh bool) error {
	if expect == "" {
		return nil
	}
	if fresh {
		return fmt.Errorf("%w: it is empty, and one was expected (--expect %s); mount the right one", ErrRefused,
			expect)
	}
	identity, err := s.identity()
	if err == nil && expect != Present && identity != expect {
		err = fmt.Errorf("%w: its identity is %q, and %q was expected (--expect); mount the right one", ErrRefused,
			identity, expect)
	}
	return err
}

// identity tells this store from any other; "" for one of a keeper that gave none.
func (s store) identity() (string, error) {
	data, err := s.fs.Read(identityName)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return strings.TrimSpace(string(data)), err
}

// claimed refuses a store whose claims were lost: without them a new leader would begin with old data.
func (s store) claimed(next uint64) error {
	epochs, err := s.numbers(epochsDir)
	if err != nil || len(epochs) == 0 || epochs[len(epochs)-1] < next {
		return err
	}
	switch _, err := s.fs.Read(claimName(next)); {
	case err == nil:
		return ErrTaken
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return damaged("epoch %d is there, but nobody claimed epoch %d", epochs[len(epochs)-1], next)
}

// layout says whether the store still has to be initialized. Whatever it does not know it refuses.
func (s store) layout() (fresh bool, err error) {
	data, err := s.fs.Read(layoutName)
	switch {
	case err == nil && string(data) == layoutText:
		return false, nil
	case err == nil:
		return false, fmt.Errorf("%w: layout %q is not %q, perhaps a newer keeper's; run that keeper",
			ErrRefused, data, layoutText)
	case !errors.Is(err, fs.ErrNotExist):
		return false, err
	}
	entries, err := s.fs.List(root)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	for _, e := range entries {
		if e.Name != path.Base(tmpDir) {
			return false, fmt.Errorf(
				"%w: %s/%s is there but %s is not: unknown layout; move it away or give another store", ErrRefused,
				root, e.Name, layoutName)
		}
	}
	adopted, err := s.fs.List(".")
	if err != nil {
		return false, err
	}
	for _, e := range adopted {
		if err := s.adoptable(e); err != nil {
			return false, err
		}
	}
	return true, nil
}

// foreign are entries at the root of a store that are no data of an application.
func foreign(name string) bool { return name == root || name == "lost+found" }

// adoptable accepts directories of Prevayler's files, as an installation without a keeper leaves them.
func (s store) adoptable(e Entry) error {
	if foreign(e.Name) || e.Name == sessions {
		return nil
	}
	unknown := func(name string) error {
		return fmt.Errorf(
			"%w: %q is neither a keeper's nor a Prevayler directory's; move it away or give another store", ErrRefused,
			name)
	}
	if !e.Dir {
		return unknown(e.Name)
	}
	inside, err := s.fs.List(e.Name)
	if err != nil {
		return err
	}
	for _, f := range inside {
		if !f.Regular || !strings.Contains(f.Name, ".journal") && !strings.Contains(f.Name, "napshot") {
			return unknown(e.Name + "/" + f.Name)
		}
	}
	return nil
}

// initialize makes the directories of a fresh store, and gives a store its identity, which it returns. Keepers that
// start at once do it together, and one that ends in the middle leaves what the next one completes.
func (s store) initialize(holder string, next uint64) (identity string, err error) {
	if next == 1 {
		for _, dir := range []string{root, tmpDir} {
			if err := s.fs.Mkdir(dir); err != nil {
				return "", err
			}
		}
		if err := s.publish(holder+"-layout", layoutName, layoutText); err != nil {
			return "", err
		}
		if err := s.directories(); err != nil {
			return "", err
		}
	}
	if identity, err = s.identity(); err != nil || identity != "" {
		return identity, err
	}
	if err := s.publish(holder+"-identity", identityName, newID()+"\n"); err != nil {
		return "", err
	}
	if identity, err = s.identity(); err == nil && identity == "" {
		err = damaged("%s is empty", identityName)
	}
	return identity, err
}

// publish makes a file that is there whole or not at all. If there is one already, that one stays.
func (s store) publish(tmp, name, text string) error {
	tmp = tmpDir + "/" + tmp
	if err := errors.Join(s.fs.Remove(tmp), s.fs.Create(tmp, []byte(text))); err != nil {
		return err
	}
	if err := s.fs.Link(tmp, name); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return errors.Join(s.fs.Remove(tmp), s.fs.Sync(root))
}

// directories follow the layout file, so that a store with one of them but no layout file is known to be damaged.
func (s store) directories() error {
	for _, dir := range []string{claimsDir, heartbeatsDir, epochsDir} {
		if err := s.fs.Mkdir(dir); err != nil {
			return err
		}
	}
	return errors.Join(s.fs.Sync(root), s.fs.Sync("."))
}
