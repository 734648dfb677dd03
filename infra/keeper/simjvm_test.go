package keeper

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// prevayler stands in for a JVM with Prevayler 2.3: the system is in memory, each change is appended to a journal
// that is named after its first transaction and opened truncating, a snapshot is taken at an orderly stop only.
// It opens files by the link of its computer and keeps them open.
type prevayler struct {
	node    *node
	process *simProcess
	link    string // where the link led when it was started
	exited  chan struct{}
	ready   bool
	silent  time.Duration   // since when it is paused
	busy    bool            // a change is being written
	waiting []chan struct{} // changes after it
	journal *inode
	next    int // transaction
	state   changes
	failing bool // the next write to the journal fails
	broken  bool // one has: no change is carried out any more
	hangs   bool // instead of saying so
	since   int  // changes since the last snapshot
}

const filesDir = "files*"

// changes is a set of small numbers.
type changes []uint64

func (c *changes) add(id int) {
	for len(*c) <= id/64 {
		*c = append(*c, 0)
	}
	(*c)[id/64] |= 1 << (id % 64)
}

func (c changes) has(id int) bool { return id/64 < len(c) && c[id/64]&(1<<(id%64)) != 0 }

func (j *prevayler) Exited() <-chan struct{} { return j.exited }
func (j *prevayler) Ready() bool             { return j.ready }

func (j *prevayler) Silent() time.Duration {
	if !j.process.paused || !j.ready {
		return 0
	}
	return j.process.s.now - j.silent
}

// Kill takes its time: a process that waits for a store that hangs ends only when the store answers.
func (j *prevayler) Kill() {
	j.process.s.after(j.process.s.uniform(0, 200*time.Millisecond), func() {
		if j.process.cut {
			j.process.onJoin = append(j.process.onJoin, j.exit)
			return
		}
		j.exit()
	})
}

func (j *prevayler) exit() {
	if !j.process.dead {
		j.process.die()
		if j.journal != nil && j.process.s.chance(0.7) { // unless its computer has died with it
			j.journal.writer = nil
		}
		j.process.s.close(j.exited)
	}
}

func (j *prevayler) Stop() {
	j.process.whenRunning(func() {
		j.process.s.spawn(j.process, func() {
			j.lock()
			j.snapshot()
			j.process.s.after(0, j.exit)
		})
	})
}

// snapshot writes beside and renames. Prevayler deletes what has the name, if nothing has happened since.
func (j *prevayler) snapshot() {
	content := []byte(encode(j.state))
	dir := path.Join(j.node.link, filesDir)
	temporary, name := dir+"/snapshot1temp1generalSnapshot", fmt.Sprintf("%s/%019d.snapshot", dir, j.next-1)
	disk := j.node.sim.disk
	j.write(func() {
		if file, err := disk.create(temporary, false); err == nil {
			file.data = content
		}
	})
	j.write(func() { _ = disk.remove(name) })
	j.write(func() {
		if parent, err := disk.find(dir); err == nil && parent.entries[path.Base(temporary)] != nil {
			parent.entries[path.Base(name)] = parent.entries[path.Base(temporary)]
			delete(parent.entries, path.Base(temporary))
			disk.touch(parent)
		}
	})
	j.since = 0
}

func encode(c changes) string {
	var b strings.Builder
	for id := range len(c) * 64 {
		if c.has(id) {
			fmt.Fprintf(&b, "%d\n", id)
		}
	}
	return b.String()
}

// run recovers the system from the directory and becomes ready.
func (j *prevayler) run() {
	disk := j.node.sim.disk
	j.process.sleep(j.process.s.uniform(50*time.Millisecond, 400*time.Millisecond))
	dir := path.Join(j.node.link, filesDir)
	var names []string
	j.process.operate(func() {
		_ = disk.mkdir(dir) // is there, or the epoch's directory is gone and nothing else will work either
		if entries, err := disk.list(dir); err == nil {
			for _, e := range entries {
				names = append(names, e.Name)
			}
		}
	})
	read := func(name string) (lines []string) {
		j.process.operate(func() {
			if file, err := disk.find(path.Join(dir, name)); err == nil {
				data := j.node.mount.content(file)
				whole := data[:bytes.LastIndexByte(data, '\n')+1] // a torn transaction is not read
				for line := range strings.Lines(string(whole)) {
					lines = append(lines, line)
				}
			}
		})
		return lines
	}
	wanted, next := 1, 1
	load := func(name string) {
		for _, line := range read(name) {
			id, err := strconv.Atoi(strings.Fields(line + " ?")[0])
			if err != nil {
				j.node.sim.violate("%s/%s is corrupt: %q", dir, name, line)
				return
			}
			if id >= 0 && (next >= wanted || strings.HasSuffix(name, ".snapshot")) {
				j.state.add(id)
			}
			next++
		}
	}
	snapshots := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !strings.HasSuffix(n, ".snapshot") })
	if len(snapshots) > 0 {
		latest := snapshots[len(snapshots)-1]
		load(latest)
		wanted = number(latest) + 1
	}
	// As PrevaylerDirectory.findInitialJournalFile does.
	for next = wanted; next > 1 && !slices.Contains(names, fmt.Sprintf("%019d.journal", next)); next-- {
	}
	if !slices.Contains(names, fmt.Sprintf("%019d.journal", next)) {
		next = wanted
	}
	for {
		journal := fmt.Sprintf("%019d.journal", next)
		if !slices.Contains(names, journal) {
			break
		}
		before := next
		load(journal)
		if next == before {
			j.process.operate(func() { j.setAside(dir, journal) })
			break
		}
	}
	next = max(next, wanted) // as PersistentJournal.initializeNextTransaction does
	j.next = next
	j.ready = true
}

// setAside renames a journal whose first transaction is torn.
func (j *prevayler) setAside(dir, journal string) {
	if parent, err := j.node.sim.disk.find(dir); err == nil && parent.entries[journal] != nil {
		parent.entries[journal+".unusedFile"+strconv.Itoa(int(j.process.s.now))] = parent.entries[journal]
		delete(parent.entries, journal)
		j.node.sim.disk.touch(parent)
	}
}

func number(name string) int {
	digits, _, _ := strings.Cut(name, ".")
	n, err := strconv.Atoi(strings.TrimLeft(digits, "0"))
	if err != nil {
		return 0
	}
	return n
}

// change executes a transaction: it is on the disk before it is answered. It returns false if it could not be written.
func (j *prevayler) change(id int) bool {
	j.lock()
	if j.failing {
		j.broken = true
	}
	if j.broken {
		if j.hangs {
			j.process.s.current.park()
		}
		j.unlock()
		return false
	}
	record := fmt.Appendf(nil, "%d %s\n", id, strings.Repeat("x", j.process.s.rng.Intn(20)))
	if j.journal == nil {
		dir := path.Join(j.node.link, filesDir)
		j.write(func() {
			file, err := j.node.sim.disk.create(fmt.Sprintf("%s/%019d.journal", dir, j.next), false)
			if err != nil {
				file = &inode{} // on NFS, a file of a directory that was removed
			}
			file.data, file.appends = nil, nil
			j.journal = file
		})
	}
	write := func(part []byte) {
		j.write(func() { j.node.sim.disk.append(j.journal, j.process.machine, part) })
	}
	half := len(record) / 2
	if j.process.s.chance(0.5) { // flushed before it is whole
		write(record[:half])
		write(record[half:])
	} else {
		write(record)
	}
	j.next++
	j.state.add(id)
	if j.since++; j.since > 3 && j.process.s.chance(0.1) {
		j.snapshot()
	}
	j.unlock()
	return true
}

func (j *prevayler) lock() {
	if !j.busy {
		j.busy = true
		return
	}
	turn := make(chan struct{})
	j.waiting = append(j.waiting, turn)
	j.process.s.current.park(turn)
	j.process.turn()
}

func (j *prevayler) unlock() {
	if len(j.waiting) == 0 {
		j.busy = false
		return
	}
	j.process.s.close(j.waiting[0])
	j.waiting = j.waiting[1:]
}

// write changes the store, in the directory that is this JVM's alone.
func (j *prevayler) write(happen func()) {
	if owner := j.node.sim.writers[j.node.link]; owner != j && !j.node.sim.without.copy {
		j.node.sim.violate("two JVMs write %s", j.node.link)
	}
	j.process.operate(happen)
}

// ask has the JVM carry out a request on behalf of the current task, and returns what it serves, and whether without
// an error.
func (j *prevayler) ask(change int) (served changes, ok bool) {
	if !j.ready || j.process.dead {
		return nil, false
	}
	s := j.process.s
	done := make(chan struct{})
	carriedOut := true
	s.spawn(j.process, func() {
		j.process.turn()
		if change >= 0 {
			carriedOut = j.change(change)
		}
		served = slices.Clone(j.state)
		s.close(done)
	})
	t := s.current
	t.park(done, j.exited)
	t.on.turn()
	return served, closed(done) && carriedOut
}
