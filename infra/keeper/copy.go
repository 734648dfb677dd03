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
	// sessionTime bounds how long a switch copies sessions.
	sessionTime = time.Second
	// chunk is copied between two heartbeats, so that a heartbeat means progress.
	chunk = 8 << 20
	// copyAttempts bounds how often a copy starts over because its source changed.
	copyAttempts = 20
)

// File is a file of an epoch, by its name in the data directory.
type File struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
}

// Manifest says what an epoch held when it was complete, sessions aside.
type Manifest struct {
	Epoch  uint64    `json:"epoch"`
	Source uint64    `json:"source"` // the epoch it was copied from; 0 is what was there before the keeper
	Files  []File    `json:"files"`
	At     time.Time `json:"at"` // for people, and for the age of restore points
}

// source is the data that a new epoch starts from.
type source struct {
	epoch uint64
	dir   string
	files []File // sorted by name, sessions aside
}

// source finds the newest complete epoch below next. The result is final only if next has been claimed.
func (s store) source(next uint64) (source, error) {
	for epoch := next - 1; epoch > 0; epoch-- {
		src, err := s.epochSource(epoch)
		if !errors.Is(err, fs.ErrNotExist) {
			return src, err
		}
		heartbeat, _, err := s.sight(epoch)
		if err != nil {
			return source{}, err
		}
		if strings.Contains(heartbeat, servingMark) {
			return source{}, damaged("epoch %d has served, but %s is missing", epoch, completeName(epoch))
		}
	}
	src := source{dir: "."}
	var err error
	src.files, err = s.files(src.dir)
	return src, err
}

// epochSource returns a complete epoch's data, or fs.ErrNotExist. Files that are missing or have shrunk since
// the manifest was written are damage, for Prevayler only adds.
func (s store) epochSource(epoch uint64) (source, error) {
	m, err := s.manifest(epoch)
	if err != nil {
		return source{}, err
	}
	src := source{epoch: epoch, dir: DataDir(epoch)}
	src.files, err = s.files(src.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return source{}, damaged("%s is missing, or changes while it is read", src.dir)
	}
	if err != nil {
		return source{}, err
	}
	return src, src.intact(m)
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

func (src source) intact(m Manifest) error {
	bytes := make(map[string]int64, len(src.files))
	for _, f := range src.files {
		bytes[f.Name] = f.Bytes
	}
	for _, f := range m.Files {
		now, there := bytes[f.Name]
		// Prevayler renames a journal whose first transaction is torn to <name>.unusedFile<time>.
		renamed := slices.ContainsFunc(src.files, func(g File) bool { return strings.HasPrefix(g.Name, f.Name+".unusedFile") })
		switch {
		case !there && !renamed:
			return damaged("%s/%s is missing", src.dir, f.Name)
		case there && now < f.Bytes:
			return damaged("%s/%s has %d bytes, it had %d", src.dir, f.Name, now, f.Bytes)
		}
	}
	return nil
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
			case name == sessions || dir == "." && foreign(name):
			case e.Dir:
				if err := walk(name); err != nil {
					return err
				}
			case e.Regular:
				files = append(files, File{Name: name, Bytes: e.Bytes})
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

// fill copies src into epoch's directory and marks it complete. progress is called between chunks; its error
// ends the copy.
func (s store) fill(epoch uint64, src source, now func() time.Duration, progress func() error) (Manifest, error) {
	m := Manifest{Epoch: epoch, Source: src.epoch, At: time.Now().UTC()}
	dir := DataDir(epoch)
	if err := s.fs.Mkdir(path.Dir(dir)); err != nil {
		return m, err
	}
	for attempt := 1; ; attempt++ {
		var err error
		m.Files, err = s.copyFiles(src, dir, progress)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return m, err
		}
		after, listErr := s.files(src.dir)
		if listErr != nil {
			return m, listErr
		}
		if err == nil && slices.EqualFunc(src.files, after, func(a, b File) bool { return a.Name == b.Name }) {
			break
		}
		if attempt == copyAttempts {
			return m, fmt.Errorf("%s changed during each of %d copies; is another program writing there?", src.dir, attempt)
		}
		src.files = after
	}
	// A source that was pruned meanwhile lost its manifest first.
	if src.epoch > 0 {
		if _, err := s.epochSource(src.epoch); err != nil {
			return m, fmt.Errorf("epoch %d was removed while it was copied: %w", src.epoch, err)
		}
	}
	if err := s.copySessions(src.dir, dir, now, progress); err != nil {
		return m, err
	}
	data, err := json.Marshal(m)
	if err != nil {
		return m, err
	}
	if err := errors.Join(s.fs.Sync(dir), s.fs.Sync(path.Dir(dir)), s.fs.Sync(epochsDir)); err != nil {
		return m, err
	}
	if err := s.fs.Create(completeName(epoch), data); err != nil {
		return m, err
	}
	return m, s.fs.Sync(path.Dir(dir))
}

func (s store) copyFiles(src source, dir string, progress func() error) ([]File, error) {
	if err := s.fs.Remove(dir); err != nil {
		return nil, err
	}
	if err := s.fs.Mkdir(dir); err != nil {
		return nil, err
	}
	made := []string{"."}
	var copied []File
	for _, f := range src.files {
		if err := s.mkdirs(dir, path.Dir(f.Name), &made); err != nil {
			return nil, err
		}
		size, err := s.copyFile(path.Join(src.dir, f.Name), path.Join(dir, f.Name), progress)
		if err != nil {
			return nil, err
		}
		if err := s.fs.Sync(path.Join(dir, f.Name)); err != nil {
			return nil, err
		}
		copied = append(copied, File{Name: f.Name, Bytes: size})
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

// copySessions copies the sessions that expire last first: Jetty's file names begin with the time of expiry.
func (s store) copySessions(from, to string, now func() time.Duration, progress func() error) error {
	entries, err := s.fs.List(path.Join(from, sessions))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := s.fs.Mkdir(path.Join(to, sessions)); err != nil {
		return err
	}
	began := now()
	for _, e := range slices.Backward(entries) {
		if now()-began > sessionTime {
			return nil
		}
		_, err := s.copyFile(path.Join(from, sessions, e.Name), path.Join(to, sessions, e.Name), progress)
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // a session that ended meanwhile
			return err
		}
	}
	return nil
}
