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

func (d dirFS) List(dir string) ([]Entry, error) {
	listed, err := os.ReadDir(d.path(dir))
	if err != nil {
		return nil, err
	}
	entries := make([]Entry, 0, len(listed))
	for _, e := range listed {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed since the directory was read
		}
		if err != nil {
			return nil, err
		}
		entries = append(entries, Entry{Name: e.Name(), Dir: e.IsDir(), Regular: e.Type().IsRegular(), Bytes: info.Size()})
	}
	return entries, nil
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

func (d dirFS) Remove(name string) error { return os.RemoveAll(d.path(name)) }

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
