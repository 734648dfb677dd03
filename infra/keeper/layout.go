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
	return fmt.Errorf("%w: damaged: %s; see `keeper epochs`, and put back an intact one with `keeper restore`",
		ErrRefused, fmt.Sprintf(format, args...))
}

// spare is what stays free after a copy, so that the new epoch can be written to as well.
const spare = 16 << 20

// inspect refuses a store in which epoch next could not be led. It changes nothing.
func (s store) inspect(next uint64) error {
	fresh, err := s.layout()
	if err != nil {
		return err
	}
	if fresh && next > 1 {
		return damaged("%s is missing", layoutName)
	}
	if err := s.claimed(next); err != nil {
		return err
	}
	source, err := s.source(next)
	if err != nil {
		return err
	}
	need := int64(spare)
	for _, f := range source.files {
		need += f.Bytes
	}
	switch free, err := s.fs.Free(); {
	case err != nil:
		return err
	case free < need:
		return fmt.Errorf("%w: full: %d bytes are free, a copy of epoch %d needs %d; free or add space",
			ErrRefused, free, source.epoch, need)
	}
	return nil
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
			return false, fmt.Errorf("%w: %s/%s is there but %s is not: unknown layout; move it away or give another store",
				ErrRefused, root, e.Name, layoutName)
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
		return fmt.Errorf("%w: %q is neither a keeper's nor a Prevayler directory's; move it away or give another store",
			ErrRefused, name)
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

// initialize makes the directories of a fresh store. Keepers that start at once do it together, and one that
// ends in the middle leaves what the next one completes.
func (s store) initialize(holder string) error {
	for _, dir := range []string{root, tmpDir} {
		if err := s.fs.Mkdir(dir); err != nil {
			return err
		}
	}
	tmp := tmpDir + "/" + holder + "-layout"
	if err := errors.Join(s.fs.Remove(tmp), s.fs.Create(tmp, []byte(layoutText))); err != nil {
		return err
	}
	if err := s.fs.Link(tmp, layoutName); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return errors.Join(s.fs.Remove(tmp), s.directories())
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
