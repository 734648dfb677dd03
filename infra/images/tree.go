package images

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// The two modes that files of a context have.
const (
	plain      fs.FileMode = 0o644
	executable fs.FileMode = 0o755
)

// tree is the files of a context by their slash-separated path. Directories exist by the files in them.
type tree map[string]file

type file struct {
	data []byte
	mode fs.FileMode
}

// addFS adds all regular files of source under to. Scripts, known by their first two bytes, become executable.
func (t tree) addFS(to string, source fs.FS) error {
	return fs.WalkDir(source, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(source, name)
		if err != nil {
			return err
		}
		mode := plain
		if bytes.HasPrefix(data, []byte("#!")) {
			mode = executable
		}
		t[path.Join(to, name)] = file{data: data, mode: mode}
		return nil
	})
}

// hash covers everything that reaches the image. Lengths are hashed before contents, so that no two trees look alike.
func (t tree) hash(args map[string]string) string {
	h := sha256.New()
	field := func(b []byte) {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(b)))
		h.Write(length[:])
		h.Write(b)
	}
	for _, name := range slices.Sorted(maps.Keys(args)) {
		field([]byte(name))
		field([]byte(args[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(t)) {
		field([]byte(name))
		field([]byte(t[name].mode.String()))
		field(t[name].data)
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}

// time is a moment between 2000 and 2020 that depends on the content alone. See the package comment.
func (f file) time() time.Time {
	const twentyYears = 20 * 365 * 24 * 60 * 60
	sum := sha256.Sum256(f.data)
	seconds := binary.BigEndian.Uint64(sum[:8]) % twentyYears
	return time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(seconds) * time.Second)
}

// write makes dir hold exactly the tree. What is already right is not touched.
func (t tree) write(dir string) error {
	if err := t.removeOthers(dir); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(t)) {
		if err := t[name].write(filepath.Join(dir, filepath.FromSlash(name))); err != nil {
			return err
		}
	}
	return nil
}

func (f file) write(name string) error {
	if f.isAt(name) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	// Written beside and renamed, so that a build that reads the context meanwhile never meets half a file.
	temporary, err := os.CreateTemp(filepath.Dir(name), ".staging-*")
	if err != nil {
		return err
	}
	_, err = temporary.Write(f.data)
	err = errors.Join(err, temporary.Chmod(f.mode), temporary.Close())
	if err == nil {
		err = errors.Join(os.Chtimes(temporary.Name(), f.time(), f.time()), os.Rename(temporary.Name(), name))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", name, err), os.Remove(temporary.Name()))
	}
	return nil
}

// isAt tells whether the file at name has this content, mode and time.
func (f file) isAt(name string) bool {
	info, err := os.Lstat(name)
	if err != nil || info.Mode() != f.mode || info.Size() != int64(len(f.data)) || !info.ModTime().Equal(f.time()) {
		return false
	}
	data, err := os.ReadFile(name)
	return err == nil && bytes.Equal(data, f.data)
}

// removeOthers removes from dir what is not part of the tree, and what stands where the tree has something of another
// type.
func (t tree) removeOthers(dir string) error {
	directories := map[string]bool{".": true}
	for name := range t {
		for parent := path.Dir(name); parent != "."; parent = path.Dir(parent) {
			directories[parent] = true
		}
	}
	var surplus []string
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		relative = filepath.ToSlash(relative)
		_, wanted := t[relative]
		switch {
		case entry.IsDir() && directories[relative], entry.Type().IsRegular() && wanted:
			return nil
		case entry.IsDir():
			surplus = append(surplus, name)
			return fs.SkipDir
		default:
			surplus = append(surplus, name)
			return nil
		}
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, name := range surplus {
		if err := os.RemoveAll(name); err != nil {
			return err
		}
	}
	return nil
}

// child returns the part of the tree below dir, with paths relative to it ("" or "." for all of it).
func (t tree) child(dir string) tree {
	if dir == "" || dir == "." {
		return t
	}
	below := tree{}
	for name, f := range t {
		if rest, ok := strings.CutPrefix(name, dir+"/"); ok {
			below[rest] = f
		}
	}
	return below
}
