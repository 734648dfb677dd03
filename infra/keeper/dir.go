package keeper

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// dirFS is a directory of this computer, local or NFS, as FS.
type dirFS string

func (d dirFS) path(name string) string { return filepath.Join(string(d), filepath.FromSlash(name)) }

// List asks for names only: the attributes of each entry would cost a round trip of their own on a network store.
func (d dirFS) List(dir string) ([]Entry, error) {
	listed, err := os.ReadDir(d.path(dir))
	if err != nil {
		return nil, err
	}
	entries := make([]Entry, 0, len(listed))
	for _, e := range listed {
		entries = append(entries, Entry{Name: e.Name(), Dir: e.IsDir(), Regular: e.Type().IsRegular()})
	}
	return entries, nil
}

func (d dirFS) Stat(name string) (Info, error) { return infoOf(os.Lstat(d.path(name))) }

func infoOf(found os.FileInfo, err error) (Info, error) {
	if err != nil {
		return Info{}, err
	}
	info := Info{Bytes: found.Size(), Changed: found.ModTime().UnixNano()}
	if s, ok := found.Sys().(*syscall.Stat_t); ok {
		info.Inode = s.Ino
	}
	return info, nil
}

func (d dirFS) Read(name string) ([]byte, error) { return os.ReadFile(d.path(name)) }

func (d dirFS) Create(name string, data []byte) error {
	return d.write(name, os.O_EXCL, data)
}

func (d dirFS) Write(name string, data []byte) error { return d.write(name, 0, data) }

func (d dirFS) write(name string, flag int, data []byte) error {
	f, err := os.OpenFile(d.path(name), os.O_CREATE|os.O_WRONLY|flag, 0o640)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

func (d dirFS) Link(old, name string) error { return os.Link(d.path(old), d.path(name)) }

func (d dirFS) Mkdir(dir string) error {
	if err := os.Mkdir(d.path(dir), 0o750); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

func (d dirFS) Remove(name string) error {
	if err := os.Remove(d.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (d dirFS) Sync(name string) error {
	f, err := os.Open(d.path(name))
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func (d dirFS) Copy(from, name string, offset, limit int64) (int64, error) {
	src, err := os.Open(d.path(from))
	if err != nil {
		return 0, err
	}
	defer src.Close()
	dst, err := os.OpenFile(d.path(name), os.O_CREATE|os.O_WRONLY, 0o640)
	if err != nil {
		return 0, err
	}
	n, err := copyRange(dst, src, offset, limit)
	return n, errors.Join(err, dst.Close())
}

func copyRange(dst, src *os.File, offset, limit int64) (int64, error) {
	for _, f := range []*os.File{src, dst} {
		if _, err := f.Seek(offset, io.SeekStart); err != nil {
			return 0, err
		}
	}
	n, err := io.CopyN(dst, src, limit)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

func (d dirFS) Free() (int64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(string(d), &s); err != nil {
		return 0, &fs.PathError{Op: "statfs", Path: string(d), Err: err}
	}
	const maxInt64 = 1<<63 - 1
	free := float64(s.Bavail) * float64(s.Bsize) // EFS reports so much that the product overflows
	return int64(min(free, maxInt64/2)), nil
}

func (d dirFS) Hold(name string) (Held, error) {
	found, err := os.Stat(d.path(name))
	if err != nil {
		return nil, err
	}
	if found.IsDir() {
		f, err := os.Open(d.path(name))
		if err != nil {
			return nil, err
		}
		names, err := os.OpenRoot(d.path(name))
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
		return &heldFile{f, names}, nil
	}
	// O_SYNC: the write is on the server when it returns, in one round trip.
	f, err := os.OpenFile(d.path(name), os.O_RDWR|os.O_SYNC, 0)
	if errors.Is(err, fs.ErrPermission) { // an application's own file, which is only looked at
		f, err = os.Open(d.path(name))
	}
	if err != nil {
		return nil, err
	}
	return &heldFile{f, nil}, nil
}

// heldFile is an open file, or an open directory with names.
type heldFile struct {
	*os.File
	names *os.Root
}

func (h *heldFile) Stat() (Info, error) { return infoOf(h.File.Stat()) }

// Look finds a name by the directory's descriptor, so that no path has to be walked to it.
func (h *heldFile) Look(name string) (Info, error) { return infoOf(h.names.Lstat(name)) }

func (h *heldFile) Overwrite(data []byte) error {
	_, err := h.WriteAt(data, 0)
	return err
}

func (h *heldFile) Close() error {
	if h.names != nil {
		return errors.Join(h.File.Close(), h.names.Close())
	}
	return h.File.Close()
}
