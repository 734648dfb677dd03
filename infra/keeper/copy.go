package keeper

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

const (
	// sessions is Jetty's session store inside the data directory.
	sessions = ".sessions"
	// sessionTime bounds how long a switch is busy with sessions.
	sessionTime = time.Second
	// chunk is copied between two reports of progress.
	chunk = 8 << 20
	// copyAttempts bounds how often a copy starts over because its source changed.
	copyAttempts = 20
	// lagTime is how long a copy waits for the journals to be as long as they were when answers were released.
	lagTime = 30 * time.Second
	// lagPause is between two looks at a journal that is too short.
	lagPause = 50 * time.Millisecond
)

// Manifest says what an epoch held when it was complete, sessions aside.
type Manifest struct {
	Epoch  uint64    `json:"epoch"`
	Source uint64    `json:"source"` // the epoch it was copied from; 0 is what was there before the keeper
	Files  []File    `json:"files"`
	At     time.Time `json:"at"`               // for people, and for the age of restore points
	Reason string    `json:"reason,omitempty"` // for people: why the epoch was begun
}

// source is the data that a new epoch starts from.
type source struct {
	epoch uint64
	dir   string
	files []File // all, sorted by name, sessions aside
	parts []part // those to copy
	marks []mark // how long journals are at least
}

// bytes is how much there is to copy.
func (src source) bytes() (sum int64) {
	for _, p := range src.parts {
		sum += p.Bytes
	}
	return sum
}

// hands is what a long piece of work on the store is given: the time, a pause, and a way to say that it goes on, whose
// error ends it.
type hands struct {
	now      func() time.Duration
	pause    func(time.Duration)
	progress func() error
}

// source finds the data that epoch next has to start from. The result is final only if next has been claimed.
//
// It is the newest complete epoch that has released an answer, or that a restore made. Epochs after it may be complete
// and never have got a JVM to answer: they hold nothing more, and perhaps what kept the JVM from starting.
func (s store) source(next uint64, suspects map[File]bool) (source, error) {
	for epoch := next - 1; epoch > 0; epoch-- {
		seen, err := s.sight(epoch)
		if err != nil {
			return source{}, err
		}
		src, err := s.epochSource(epoch, suspects)
		switch {
		case err == nil && (seen.served || s.restored(epoch)):
			src.marks = seen.marks
			return src, nil
		case seen.served && errors.Is(err, fs.ErrNotExist):
			return source{}, damaged("epoch %d has served, but %s is missing", epoch, completeName(epoch))
		case err != nil && (seen.served || s.restored(epoch) && s.published(epoch)):
			return source{}, err
		case err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, ErrRefused):
			return source{}, err
		}
	}
	src := source{dir: "."}
	err := s.survey(&src, 0, suspects)
	return src, err
}

// published says that an epoch has a manifest that can be read: what made it has ended well.
func (s store) published(epoch uint64) bool {
	_, err := s.manifest(epoch)
	return err == nil
}

// restored says that an epoch was made by a restore, or that nobody can tell, for its claim is gone.
func (s store) restored(epoch uint64) bool {
	claim, err := s.readClaim(epoch)
	return err != nil || claim.Address == ""
}

// epochSource returns a complete epoch's data, or fs.ErrNotExist. Files that are missing or have shrunk since
// the manifest was written are damage, for Prevayler only adds.
func (s store) epochSource(epoch uint64, suspects map[File]bool) (source, error) {
	m, err := s.manifest(epoch)
	if err != nil {
		return source{}, err
	}
	src := source{epoch: epoch, dir: DataDir(epoch)}
	err = s.survey(&src, epoch, suspects)
	if errors.Is(err, fs.ErrNotExist) {
		return source{}, damaged("%s is missing, or changes while it is read", src.dir)
	}
	if err != nil {
		return source{}, err
	}
	return src, src.intact(m)
}

// survey lists what is there and plans what to copy.
func (s store) survey(src *source, epoch uint64, suspects map[File]bool) error {
	linked := map[string]part{}
	if epoch > 0 {
		found, err := s.proven(epoch)
		if err != nil {
			return err
		}
		for name, bytes := range found {
			f := File{name, bytes}
			linked[name] = part{f, provenName(epoch, f), true}
		}
	}
	var err error
	src.files, err = s.files(src.dir)
	src.parts = plan(src.dir, src.files, linked, suspects)
	return err
}

func (s store) manifest(epoch uint64) (Manifest, error) {
	var m Manifest
	data, err := s.fs.Read(completeName(epoch))
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(data, &m); err != nil || m.Epoch != epoch {
		return m, damaged("%s is not a manifest of epoch %d", completeName(epoch), epoch)
	}
	return m, nil
}

// files lists the data below dir, sorted by name, without sessions and what is not an application's.
func (s store) files(dir string) ([]File, error) {
	var files []File
	var walk func(prefix string) error
	walk = func(prefix string) error {
		entries, err := s.fs.List(path.Join(dir, prefix))
		if err != nil {
			return err
		}
		for _, e := range entries {
			name := path.Join(prefix, e.Name)
			switch {
			case name == sessions || dir == "." && foreign(name) || strings.HasPrefix(e.Name, ".nfs"):
			case e.Dir:
				if err := walk(name); err != nil {
					return err
				}
			case e.Regular:
				info, err := s.fs.Stat(path.Join(dir, name))
				if errors.Is(err, fs.ErrNotExist) {
					continue // removed since it was listed
				}
				if err != nil {
					return err
				}
				files = append(files, File{Name: name, Bytes: info.Bytes})
			default:
				return damaged("%s is neither a file nor a directory", path.Join(dir, name))
			}
		}
		return nil
	}
	err := walk("")
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	return files, err
}

// fill copies src into epoch's directory and marks it complete.
func (s store) fill(epoch uint64, src source, reason string, suspects map[File]bool, h hands) (Manifest, error) {
	m := Manifest{Epoch: epoch, Source: src.epoch, At: time.Now().UTC(), Reason: reason}
	dir := DataDir(epoch)
	if err := s.fs.Mkdir(path.Dir(dir)); err != nil {
		return m, err
	}
	began := h.now()
	for attempt := 1; ; {
		var err error
		m.Files, err = s.copyFiles(src, dir, h.progress)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return m, err
		}
		after := source{epoch: src.epoch, dir: src.dir, marks: src.marks}
		if err := s.survey(&after, src.epoch, suspects); err != nil {
			return m, err
		}
		if err == nil && slices.EqualFunc(src.parts, after.parts, func(a, b part) bool { return a.Name == b.Name }) {
			short := src.missing(m.Files)
			if short == nil {
				break
			}
			if h.now()-began > lagTime {
				return m, fmt.Errorf("epoch %d: %w", src.epoch, short)
			}
			h.pause(lagPause)
			if err := h.progress(); err != nil {
				return m, err
			}
			src = after
			continue
		}
		if attempt++; attempt > copyAttempts {
			return m, fmt.Errorf("%s changed during each of %d copies; is another program writing there?", src.dir,
				copyAttempts)
		}
		src = after
	}
	// A source that was pruned meanwhile lost its manifest first.
	if src.epoch > 0 {
		if _, err := s.epochSource(src.epoch, suspects); err != nil {
			return m, fmt.Errorf("epoch %d was removed while it was copied: %w", src.epoch, err)
		}
	}
	for _, p := range src.parts {
		if p.proven {
			if err := s.prove(epoch, p.File); err != nil {
				return m, err
			}
		}
	}
	if err := s.copySessions(src.dir, dir, h); err != nil {
		return m, err
	}
	if err := errors.Join(s.fs.Sync(dir), s.fs.Sync(path.Dir(dir)), s.fs.Sync(epochsDir)); err != nil {
		return m, err
	}
	return m, s.complete(m)
}

// missing says which journal in files is shorter than it was when an answer was released. A journal that a snapshot has
// superseded may have gone.
func (src source) missing(files []File) error {
	for _, m := range src.marks {
		if n, is := journalNumber(path.Base(m.Name)); is && n < src.firstNeeded(path.Dir(m.Name)) {
			continue
		}
		i := slices.IndexFunc(files, func(f File) bool { return f.Name == m.Name })
		switch {
		case i < 0:
			return damaged("%s is missing, which had %d bytes when an answer was released", m.Name, m.Bytes)
		case files[i].Bytes < m.Bytes:
			return damaged("%s has %d bytes, it had %d when an answer was released", m.Name, files[i].Bytes, m.Bytes)
		}
	}
	return nil
}

// complete publishes a manifest, which is there whole or not at all.
func (s store) complete(m Manifest) error {
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	tmp := fmt.Sprintf("%s/complete-%d", tmpDir, m.Epoch) // only the claim's holder writes it
	if err := errors.Join(s.fs.Remove(tmp), s.fs.Create(tmp, data)); err != nil {
		return err
	}
	if err := s.fs.Link(tmp, completeName(m.Epoch)); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	there, err := s.manifest(m.Epoch) // a link that succeeded may have been reported as taken
	if err != nil {
		return err
	}
	if !there.At.Equal(m.At) {
		return damaged("%s is there already", completeName(m.Epoch))
	}
	return errors.Join(s.fs.Remove(tmp), s.fs.Sync(numbered(epochsDir, m.Epoch)))
}

func (s store) copyFiles(src source, dir string, progress func() error) ([]File, error) {
	if err := s.removeTree(dir, progress); err != nil {
		return nil, err
	}
	if err := s.fs.Mkdir(dir); err != nil {
		return nil, err
	}
	made := []string{"."}
	var copied []File
	for _, p := range src.parts {
		if err := s.mkdirs(dir, path.Dir(p.Name), &made); err != nil {
			return nil, err
		}
		size, err := s.copyFile(p.from, path.Join(dir, p.Name), progress)
		if err != nil {
			return nil, err
		}
		if err := s.fs.Sync(path.Join(dir, p.Name)); err != nil {
			return nil, err
		}
		copied = append(copied, File{Name: p.Name, Bytes: size})
	}
	for _, sub := range made {
		if err := s.fs.Sync(path.Join(dir, sub)); err != nil {
			return nil, err
		}
	}
	return copied, nil
}

func (s store) mkdirs(dir, sub string, made *[]string) error {
	if slices.Contains(*made, sub) {
		return nil
	}
	if err := s.mkdirs(dir, path.Dir(sub), made); err != nil {
		return err
	}
	*made = append(*made, sub)
	return s.fs.Mkdir(path.Join(dir, sub))
}

func (s store) copyFile(from, name string, progress func() error) (int64, error) {
	for size := int64(0); ; {
		n, err := s.fs.Copy(from, name, size, chunk)
		if err != nil {
			return 0, err
		}
		size += n
		if err := progress(); err != nil {
			return 0, err
		}
		if n < chunk {
			return size, nil
		}
	}
}

// copySessions copies the sessions that expire last first: Jetty's file names begin with the time of expiry. Only the
// end of the caller's work is an error; a session that cannot be copied is none.
func (s store) copySessions(from, to string, h hands) error {
	began := h.now()
	entries, err := s.fs.List(path.Join(from, sessions))
	if err != nil || len(entries) == 0 || s.fs.Mkdir(path.Join(to, sessions)) != nil {
		return h.progress()
	}
	for _, e := range slices.Backward(entries) {
		if h.now()-began > sessionTime {
			return nil
		}
		if err := h.progress(); err != nil {
			return err
		}
		_, _ = s.copyFile(path.Join(from, sessions, e.Name), path.Join(to, sessions, e.Name), h.progress)
	}
	return nil
}

// removeTree removes a file, or a directory with what is in it, if it is there.
func (s store) removeTree(name string, progress func() error) error {
	err := s.fs.Remove(name)
	if err == nil {
		return nil
	}
	entries, listErr := s.fs.List(name)
	if listErr != nil {
		return err
	}
	for _, e := range entries {
		inside := path.Join(name, e.Name)
		if e.Dir {
			err = s.removeTree(inside, progress)
		} else {
			err = s.fs.Remove(inside)
		}
		if err = errors.Join(err, progress()); err != nil {
			return err
		}
	}
	return s.fs.Remove(name)
}
