package provider

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
)

// stateFile is what exists, in a file that several processes may use at once.
type stateFile struct {
	mu   sync.Mutex
	file string
}

// contents are the file's.
type contents struct {
	Serial    int                 `json:"serial"`    // counts what was ever created
	Made      map[string]int      `json:"made"`      // the same, by URN
	Resources map[string]recorded `json:"resources"` // by type and id
	Published map[string]publish  `json:"published"` // by the address' allocation id

	Templates map[string]map[int]template `json:"templates,omitempty"` // of machines, by id and version
	Functions map[string]function         `json:"functions,omitempty"` // by name
}

// recorded is one existing resource.
type recorded struct {
	Type   string         `json:"type"`
	ID     string         `json:"id"`
	URN    string         `json:"urn"`
	Serial int            `json:"serial"`          // when it was created, in order
	Used   bool           `json:"used,omitempty"`  // a volume that was attached once, and so may hold data
	Facts  map[string]any `json:"facts,omitempty"` // what other resources' bodies depend on
}

func (t recorded) text(fact string) string { s, _ := t.Facts[fact].(string); return s }

func (t recorded) number(fact string) int { n, _ := t.Facts[fact].(float64); return int(n) }

func (t recorded) texts(fact string) []string {
	list, _ := t.Facts[fact].([]any)
	var out []string
	for _, e := range list {
		if s, ok := e.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

func key(typ, id string) string { return typ + " " + id }

// of lists the recorded resources of a type, oldest first.
func (c contents) of(typ string) []recorded {
	var out []recorded
	for _, k := range slices.Sorted(maps.Keys(c.Resources)) {
		if c.Resources[k].Type == typ {
			out = append(out, c.Resources[k])
		}
	}
	slices.SortStableFunc(out, func(a, b recorded) int { return a.Serial - b.Serial })
	return out
}

// byID finds a resource whose type is not known.
func (c contents) byID(id string) (recorded, bool) {
	for _, k := range slices.Sorted(maps.Keys(c.Resources)) {
		if c.Resources[k].ID == id {
			return c.Resources[k], true
		}
	}
	return recorded{}, false
}

func openStateFile(dir string) (*stateFile, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("state directory: %w: make it writable, or choose another", err)
	}
	return &stateFile{file: filepath.Join(dir, "world.json")}, nil // the name that states on disk have
}

// read answers with what exists.
func (w *stateFile) read() (contents, error) {
	var out contents
	err := w.locked(func(c *contents) (bool, error) { out = *c; return false, nil })
	return out, err
}

// change edits what exists. The file is either the old one or the new one, also when the process dies.
func (w *stateFile) change(edit func(*contents) error) error {
	return w.locked(func(c *contents) (bool, error) { return true, edit(c) })
}

func (w *stateFile) locked(do func(*contents) (save bool, err error)) (err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	lock, err := os.OpenFile(w.file+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("state file %s: %w", w.file, err)
	}
	defer func() { err = errors.Join(err, lock.Close()) }() // releases the lock
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", lock.Name(), err)
	}
	c := contents{Made: map[string]int{}, Resources: map[string]recorded{}, Published: map[string]publish{}}
	b, err := os.ReadFile(w.file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return fmt.Errorf("state file: %w", err)
	default:
		if err := json.Unmarshal(b, &c); err != nil {
			return fmt.Errorf("state file %s: %w: it was not written by this program; `make local-clean` starts afresh",
				w.file, err)
		}
	}
	save, err := do(&c)
	if err != nil || !save {
		return err
	}
	if b, err = json.MarshalIndent(c, "", "  "); err != nil {
		return err
	}
	if err := os.WriteFile(w.file+".new", append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("state file: %w", err)
	}
	return os.Rename(w.file+".new", w.file)
}
