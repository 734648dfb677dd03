package keeper

import (
	"io/fs"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"
)

// disk is the server's side of the simulated store.
type disk struct {
	root *inode
	free int64
}

// inode is a file or a directory. Whoever opened it can go on using it after its name is gone.
type inode struct {
	data    []byte
	entries map[string]*inode // nil for a file
}

func newDisk() *disk { return &disk{root: &inode{entries: map[string]*inode{}}, free: 1 << 40} }

func (d *disk) find(name string) (*inode, error) {
	at := d.root
	if name == "." || name == "" {
		return at, nil
	}
	for part := range strings.SplitSeq(name, "/") {
		next := at.entries[part]
		if next == nil {
			return nil, fs.ErrNotExist
		}
		at = next
	}
	return at, nil
}

func (d *disk) parent(name string) (*inode, string, error) {
	dir, err := d.find(path.Dir(name))
	if err == nil && dir.entries == nil {
		err = syscall.ENOTDIR
	}
	return dir, path.Base(name), err
}

func (d *disk) create(name string, exclusive bool) (*inode, error) {
	dir, base, err := d.parent(name)
	if err != nil {
		return nil, err
	}
	if there := dir.entries[base]; there != nil {
		if exclusive {
			return nil, fs.ErrExist
		}
		return there, nil
	}
	made := &inode{}
	dir.entries[base] = made
	return made, nil
}

func (d *disk) mkdir(name string) error {
	dir, base, err := d.parent(name)
	if err == nil && dir.entries[base] == nil {
		dir.entries[base] = &inode{entries: map[string]*inode{}}
	}
	return err
}

func (d *disk) remove(name string) {
	if dir, base, err := d.parent(name); err == nil {
		delete(dir.entries, base)
	}
}

func (d *disk) list(name string) ([]Entry, error) {
	dir, err := d.find(name)
	if err != nil {
		return nil, err
	}
	entries := make([]Entry, 0, len(dir.entries))
	for name, e := range dir.entries {
		entries = append(entries, Entry{Name: name, Dir: e.entries != nil, Regular: e.entries == nil, Bytes: int64(len(e.data))})
	}
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	return entries, nil
}

// mount is one computer's view of the disk, as FS. What a process has written but not synced lies in the
// computer's page cache: others see it only once it is flushed, and it is gone if the computer fails.
type mount struct {
	disk    *disk
	process *simProcess // whose operations take time
	faults  *faults
	unsaved map[*inode][]byte
	without without
	// remembered are names and listings, for as long as the mount options say: not at all with
	// actimeo=0,lookupcache=none.
	remembered map[string]memory
}

type memory struct {
	at      time.Duration
	data    []byte
	entries []Entry
	err     error
}

// faults are what the store may do wrong to any operation.
type faults struct {
	chance float64
}

func newMount(d *disk, p *simProcess, f *faults, w without) *mount {
	return &mount{disk: d, process: p, faults: f, unsaved: map[*inode][]byte{}, without: w, remembered: map[string]memory{}}
}

// do carries out an operation, which may fail without having happened, or having happened.
func (m *mount) do(happen func() error) error {
	var err error
	m.process.operate(func() {
		s := m.process.s
		if !s.chance(m.faults.chance) {
			err = happen()
			return
		}
		if s.chance(0.3) {
			_ = happen() // and its result is lost
		}
		err = []error{syscall.EIO, syscall.ESTALE, syscall.ENOSPC}[s.rng.Intn(3)]
	})
	return err
}

// recall answers from what the mount remembers, if its options allow.
func (m *mount) recall(kind, name string, ask func() memory) memory {
	if got, ok := m.remembered[kind+name]; ok && m.process.s.now-got.at < m.without.fresh {
		return got
	}
	var got memory
	if err := m.do(func() error { got = ask(); return got.err }); err != nil {
		got = memory{err: err}
	}
	if m.without.fresh > 0 {
		got.at = m.process.s.now
		m.remembered[kind+name] = got
	}
	return got
}

// changed forgets what the mount's own operation on name has changed.
func (m *mount) changed(name string) {
	delete(m.remembered, "read "+name)
	delete(m.remembered, "list "+path.Dir(name))
}

func (m *mount) List(dir string) ([]Entry, error) {
	got := m.recall("list ", dir, func() memory {
		entries, err := m.disk.list(dir)
		return memory{entries: entries, err: err}
	})
	return got.entries, got.err
}

func (m *mount) Read(name string) ([]byte, error) {
	got := m.recall("read ", name, func() memory {
		file, err := m.disk.find(name)
		if err != nil {
			return memory{err: err}
		}
		return memory{data: slices.Clone(m.content(file))}
	})
	return got.data, got.err
}

func (m *mount) content(file *inode) []byte {
	if unsaved, ok := m.unsaved[file]; ok {
		return unsaved
	}
	return file.data
}

func (m *mount) Create(name string, data []byte) error {
	defer m.changed(name)
	return m.do(func() error {
		file, err := m.disk.create(name, true)
		if err == nil {
			file.data = slices.Clone(data)
		}
		return err
	})
}

func (m *mount) Write(name string, data []byte) error {
	defer m.changed(name)
	return m.do(func() error {
		file, err := m.disk.create(name, false)
		if err == nil {
			file.data = slices.Clone(data)
		}
		return err
	})
}

func (m *mount) Link(old, name string) error {
	defer m.changed(name)
	return m.do(func() error {
		file, err := m.disk.find(old)
		if err != nil {
			return err
		}
		dir, base, err := m.disk.parent(name)
		if err != nil {
			return err
		}
		if dir.entries[base] != nil {
			return fs.ErrExist
		}
		dir.entries[base] = file
		return nil
	})
}

func (m *mount) Mkdir(dir string) error { return m.do(func() error { return m.disk.mkdir(dir) }) }
func (m *mount) Remove(name string) error {
	return m.do(func() error { m.disk.remove(name); return nil })
}

func (m *mount) Sync(name string) error {
	return m.do(func() error {
		file, err := m.disk.find(name)
		if err == nil && !m.without.sync {
			m.flush(file)
		}
		return err
	})
}

func (m *mount) flush(file *inode) {
	if unsaved, ok := m.unsaved[file]; ok {
		file.data = unsaved
		delete(m.unsaved, file)
	}
}

func (m *mount) flushAll() {
	for file := range m.unsaved {
		m.flush(file)
	}
}

func (m *mount) Copy(from, name string, offset, limit int64) (int64, error) {
	defer m.changed(name)
	var n int64
	err := m.do(func() error {
		src, err := m.disk.find(from)
		if err != nil {
			return err
		}
		dst, err := m.disk.create(name, false)
		if err != nil {
			return err
		}
		all := m.content(src)
		part := all[min(offset, int64(len(all))):min(offset+limit, int64(len(all)))]
		m.unsaved[dst] = append(slices.Clone(m.content(dst)[:offset]), part...)
		if m.process.s.chance(0.1) {
			m.flush(dst) // early, as kernels do
		}
		n = int64(len(part))
		return nil
	})
	return n, err
}

func (m *mount) Free() (int64, error) { return m.disk.free, nil }
