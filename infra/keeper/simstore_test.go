package keeper

import (
	"bytes"
	"io/fs"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"
)

// disk is the server's side of the simulated store.
type disk struct {
	s    *scheduler
	root *inode
	free int64
	ids  uint64
	lag  time.Duration // until an append to a file that is open is seen on other computers
}

// inode is a file or a directory. Whoever opened it can go on using it after its name is gone.
type inode struct {
	data    []byte
	entries map[string]*inode // nil for a file
	id      uint64
	changed time.Duration
	writer  *machine // has it open to append
	appends []appended
}

// appended is when a file became as long.
type appended struct {
	at    time.Duration
	bytes int
}

func newDisk(s *scheduler) *disk {
	d := &disk{s: s, free: 1 << 40}
	d.root = d.inode(map[string]*inode{})
	return d
}

func (d *disk) inode(entries map[string]*inode) *inode {
	d.ids++
	return &inode{entries: entries, id: d.ids, changed: d.s.now}
}

// touch notes a change, with the coarse clock that file systems use.
func (d *disk) touch(i *inode) { i.changed = d.s.now.Truncate(4 * time.Millisecond) }

// append is what a JVM does to its journal.
func (d *disk) append(file *inode, writer *machine, data []byte) {
	file.data = append(file.data, data...)
	file.writer = writer
	file.appends = append(file.appends, appended{d.s.now, len(file.data)})
	d.touch(file)
}

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
	made := d.inode(nil)
	dir.entries[base] = made
	d.touch(dir)
	return made, nil
}

func (d *disk) mkdir(name string) error {
	dir, base, err := d.parent(name)
	if err == nil && dir.entries[base] == nil {
		dir.entries[base] = d.inode(map[string]*inode{})
		d.touch(dir)
	}
	return err
}

func (d *disk) remove(name string) error {
	dir, base, err := d.parent(name)
	if err != nil || dir.entries[base] == nil {
		return nil
	}
	if len(dir.entries[base].entries) > 0 {
		return syscall.ENOTEMPTY
	}
	delete(dir.entries, base)
	d.touch(dir)
	return nil
}

func (d *disk) list(name string) ([]Entry, error) {
	dir, err := d.find(name)
	if err != nil {
		return nil, err
	}
	entries := make([]Entry, 0, len(dir.entries))
	for name, e := range dir.entries {
		entries = append(entries, Entry{Name: name, Dir: e.entries != nil, Regular: e.entries == nil})
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
	info    Info
	err     error
}

// faults are what the store may do wrong to any operation.
type faults struct {
	chance   float64
	perEntry time.Duration // what listing takes longer for each
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
	delete(m.remembered, "stat "+name)
	delete(m.remembered, "list "+path.Dir(name))
}

// List may see one half of a directory later than the other.
func (m *mount) List(dir string) ([]Entry, error) {
	ask := func() memory {
		entries, err := m.disk.list(dir)
		return memory{entries: entries, err: err}
	}
	got := m.recall("list ", dir, ask)
	if m.faults.perEntry > 0 && len(got.entries) > 0 {
		m.process.sleep(m.faults.perEntry * time.Duration(len(got.entries)))
	}
	if half := len(got.entries) / 2; half > 0 && m.without.fresh == 0 && m.process.s.chance(0.05) {
		later := m.recall("list ", dir, ask)
		if later.err != nil {
			return nil, later.err
		}
		torn := got.entries[:half:half]
		for _, e := range later.entries {
			if e.Name > got.entries[half-1].Name {
				torn = append(torn, e)
			}
		}
		return torn, nil
	}
	return got.entries, got.err
}

func (m *mount) Stat(name string) (Info, error) {
	got := m.recall("stat ", name, func() memory {
		file, err := m.disk.find(name)
		if err != nil {
			return memory{err: err}
		}
		return memory{info: m.info(file)}
	})
	return got.info, got.err
}

func (m *mount) info(file *inode) Info {
	return Info{Bytes: int64(len(m.content(file))), Inode: file.id, Changed: int64(file.changed)}
}

func (m *mount) Read(name string) ([]byte, error) {
	got := m.recall("read ", name, func() memory {
		file, err := m.disk.find(name)
		if err != nil {
			return memory{err: err}
		}
		return memory{data: slices.Clone(m.content(file))}
	})
	if at := bytes.IndexByte(got.data, '['); m.without.marks && at > 0 && path.Dir(name) == heartbeatsDir {
		blank := bytes.Repeat([]byte{' '}, len(got.data)-at-3)
		return append(append(append([]byte{}, got.data[:at]...), "[]"...), append(blank, '\n')...), got.err
	}
	return got.data, got.err
}

// content is what this computer sees of a file: what it has not saved, and of what others append to not yet the end.
func (m *mount) content(file *inode) []byte {
	if unsaved, ok := m.unsaved[file]; ok {
		return unsaved
	}
	if file.writer == nil || file.writer == m.process.machine {
		return file.data
	}
	seen := 0
	for _, a := range file.appends {
		if a.at+m.disk.lag > m.disk.s.now {
			break
		}
		seen = a.bytes
	}
	return file.data[:min(seen, len(file.data))]
}

func (m *mount) Create(name string, data []byte) error { return m.put(name, data, true) }
func (m *mount) Write(name string, data []byte) error  { return m.put(name, data, false) }

// put makes a file and then fills it; it may fail in between.
func (m *mount) put(name string, data []byte, exclusive bool) error {
	defer m.changed(name)
	if m.process.s.chance(m.faults.chance * 0.3) {
		_ = m.do(func() error {
			file, err := m.disk.create(name, exclusive)
			if err == nil {
				file.data = slices.Clone(data[:len(data)/2])
			}
			return err
		})
		return syscall.EIO
	}
	return m.do(func() error {
		file, err := m.disk.create(name, exclusive)
		if err == nil {
			file.data = slices.Clone(data)
			m.disk.touch(file)
		}
		return err
	})
}

// Link may succeed and be reported as taken, when the server restarts in between.
func (m *mount) Link(old, name string) error {
	defer m.changed(name)
	repeated := m.process.s.chance(m.faults.chance * 0.3)
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
		m.disk.touch(dir)
		if repeated {
			return fs.ErrExist
		}
		return nil
	})
}

func (m *mount) Mkdir(dir string) error {
	defer m.changed(dir)
	return m.do(func() error { return m.disk.mkdir(dir) })
}

func (m *mount) Remove(name string) error {
	defer m.changed(name)
	return m.do(func() error { return m.disk.remove(name) })
}

func (m *mount) Hold(name string) (Held, error) {
	var h Held
	err := m.do(func() error {
		file, err := m.disk.find(name)
		h = &held{m, name, file}
		return err
	})
	return h, err
}

// held is an open file or directory.
type held struct {
	mount *mount
	name  string
	file  *inode
}

func (h *held) Close() error { return nil }

func (h *held) Stat() (Info, error) {
	var info Info
	err := h.mount.do(func() error { info = h.mount.info(h.file); return nil })
	return info, err
}

func (h *held) Look(name string) (Info, error) {
	got := h.mount.recall("stat ", path.Join(h.name, name), func() memory {
		file := h.file.entries[name]
		if file == nil {
			return memory{err: fs.ErrNotExist}
		}
		return memory{info: h.mount.info(file)}
	})
	return got.info, got.err
}

func (h *held) Overwrite(data []byte) error {
	return h.mount.do(func() error {
		if len(h.file.data) < len(data) {
			h.mount.process.s.fail("%s grows by being written over", h.name)
		}
		copy(h.file.data, data)
		return nil
	})
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
		m.disk.touch(file)
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
