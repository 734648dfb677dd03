package keeper

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"
)

// mark says how much of a journal was there when an answer was released: nobody may copy less.
type mark struct {
	Name  string `json:"name"` // in the data directory
	Bytes int64  `json:"bytes"`
}

// heartbeatBytes is the length of a heartbeat's file. It never changes, so that writing one is no append; see the
// package comment on what a network store promises. EFS bills this much for any access.
const heartbeatBytes = 4096

// Words in a heartbeat, beside its counter. Keepers of layout 1 without marks know the first two.
const (
	copyingMark  = "copying"
	servingMark  = "serving"  // from before the first answer is released on
	startingMark = "starting" // the JVM runs, and has not answered
	releasedMark = "released" // the JVM has ended
)

// heartbeat is what a leader says of itself.
type heartbeat struct {
	count  uint64
	states string // words
	marks  []mark
}

func (h heartbeat) encode() ([]byte, error) {
	marks, err := json.Marshal(h.marks)
	if err != nil {
		return nil, err
	}
	text := fmt.Appendf(nil, "%020d %s %s", h.count, h.states, marks)
	if len(text) >= heartbeatBytes {
		return nil, fmt.Errorf(
			"heartbeat: the application has too many journals: %d bytes to say how long they are, %d are for it",
			len(text), heartbeatBytes)
	}
	return append(append(text, bytes.Repeat([]byte{' '}, heartbeatBytes-1-len(text))...), '\n'), nil
}

// seenHeartbeat is what another keeper reads.
type seenHeartbeat struct {
	text     string // that changes
	served   bool   // an answer may have been released
	released bool
	marks    []mark
}

func parseHeartbeat(data []byte) (seen seenHeartbeat, marked bool, err error) {
	text := strings.TrimRight(string(data), " \n")
	seen = seenHeartbeat{text: text, served: strings.Contains(text, servingMark)}
	if len(data) != heartbeatBytes { // of a keeper without marks, or none yet
		return seen, false, nil
	}
	head, marks, found := strings.Cut(text, "[")
	seen.released = strings.Contains(head, releasedMark)
	seen.served = strings.Contains(head, servingMark)
	if found {
		err = json.Unmarshal([]byte("["+marks), &seen.marks)
	}
	return seen, true, err
}

// sight is what an observer sees of an epoch's leader.
func (s store) sight(epoch uint64) (seenHeartbeat, error) {
	data, err := s.fs.Read(heartbeatName(epoch))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return seenHeartbeat{}, err
	}
	seen, marked, err := parseHeartbeat(data)
	if err != nil {
		return seen, damaged("%s cannot be understood: %v", heartbeatName(epoch), err)
	}
	if !marked {
		if _, err = s.fs.Stat(releasedName(epoch)); err == nil {
			seen.released = true
		} else if !errors.Is(err, fs.ErrNotExist) {
			return seen, err
		}
	}
	return seen, nil
}

// journals watches the journals that a JVM appends to, through what it keeps open of them.
type journals struct {
	store store
	root  string // the data directory
	dirs  []*journalDir
	again bool // directories have to be looked for again
	// changed says that files have come or gone since it was last cleared.
	changed bool
}

type journalDir struct {
	name    string // relative to root
	dir     Held
	seen    Info
	since   time.Duration // the directory looks like that
	settled bool
	journal string // the newest; "" if there is none
	file    Held
}

// settleTime is how long a directory has to look the same before its time of change is believed to tell of the next
// change: file systems count time in steps.
const settleTime = time.Second

// look returns how long the journals are now. walk makes it look for new directories as well, of which there are none
// while an application has the one that it began with.
func (j *journals) look(now time.Duration, walk bool) ([]mark, error) {
	if walk || len(j.dirs) == 0 || j.again || !j.any() {
		if err := j.walk(""); err != nil {
			return nil, err
		}
		j.again = false
	}
	var marks []mark
	for _, d := range j.dirs {
		if err := j.refresh(d, now); err != nil {
			return nil, err
		}
		if d.file == nil {
			continue
		}
		info, err := d.file.Stat()
		if err != nil {
			return nil, err
		}
		marks = append(marks, mark{path.Join(d.name, d.journal), info.Bytes})
	}
	return marks, nil
}

func (j *journals) any() bool {
	for _, d := range j.dirs {
		if d.file != nil {
			return true
		}
	}
	return false
}

// walk holds directories that are new.
func (j *journals) walk(name string) error {
	var known *journalDir
	for _, d := range j.dirs {
		if d.name == name {
			known = d
		}
	}
	if known == nil {
		held, err := j.store.fs.Hold(path.Join(j.root, name))
		if errors.Is(err, fs.ErrNotExist) {
			return nil // removed since it was listed
		}
		if err != nil {
			return err
		}
		known = &journalDir{name: name, dir: held}
		j.dirs = append(j.dirs, known)
	} else if info, err := known.dir.Stat(); err != nil || known.settled && info == known.seen {
		return err
	}
	entries, err := j.store.fs.List(path.Join(j.root, name))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Dir && e.Name != sessions {
			if err := j.walk(path.Join(name, e.Name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// refresh finds the newest journal again if the directory may have changed.
func (j *journals) refresh(d *journalDir, now time.Duration) error {
	info, err := d.dir.Stat()
	if err != nil {
		return err
	}
	if info != d.seen {
		d.seen, d.since, d.settled, j.changed = info, now, false, true
	}
	if d.settled {
		return nil
	}
	entries, err := j.store.fs.List(path.Join(j.root, d.name))
	if err != nil {
		return err
	}
	newest := ""
	for _, e := range entries {
		if _, is := journalNumber(e.Name); is && e.Name > newest {
			newest = e.Name
		}
	}
	if newest != d.journal || newest != "" && d.file == nil {
		if d.file != nil {
			_ = d.file.Close() // nothing was written through it
			d.file = nil
		}
		if d.journal = newest; newest != "" {
			if d.file, err = j.store.fs.Hold(path.Join(j.root, d.name, newest)); err != nil {
				return err
			}
		}
	}
	d.settled = now-d.since >= settleTime
	return nil
}

func (j *journals) close() {
	for _, d := range j.dirs {
		_ = d.dir.Close() // nothing was written through it
		if d.file != nil {
			_ = d.file.Close() // as above
		}
	}
	j.dirs = nil
}
