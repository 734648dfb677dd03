package keeper

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"
)

// FS is the file system that holds the store, by slash-separated names relative to its root. Every method
// sees the latest state (on NFS: actimeo=0,lookupcache=none) and returns errors that errors.Is knows.
type FS interface {
	List(dir string) ([]Entry, error)      // sorted by name
	Stat(name string) (Info, error)        // of the name itself, without opening it
	Read(name string) ([]byte, error)      // the whole of a small file, opened anew
	Create(name string, data []byte) error // exclusive, synced
	Write(name string, data []byte) error  // in place, synced; creates the file if need be
	Link(old, name string) error           // fs.ErrExist if name is taken
	Mkdir(dir string) error                // nil if it is there
	Remove(name string) error              // a file or an empty directory; nil if it is not there
	Sync(name string) error                // a file or a directory
	// Copy appends up to limit bytes of from, starting at offset, to name at the same offset, unsynced, and
	// returns how many there were: fewer than limit at the end of the file.
	Copy(from, name string, offset, limit int64) (int64, error)
	Free() (bytes int64, err error)
	Hold(name string) (Held, error) // keeps a file or directory open
}

// Held is a file or directory that is kept open, so that a look at it costs one round trip.
type Held interface {
	Stat() (Info, error)
	Look(name string) (Info, error) // of a name in the directory; fs.ErrNotExist if there is none
	// Overwrite writes data over the file's first bytes and returns when they are on the server. The file must have
	// that many, so that this is no append: see the package comment on what a network store promises.
	Overwrite(data []byte) error
	Close() error
}

// Entry is a directory entry.
type Entry struct {
	Name    string
	Dir     bool
	Regular bool
}

// Info is what a file system knows of a file. Two that are equal are of the same file, in the same state.
type Info struct {
	Bytes   int64
	Inode   uint64
	Changed int64 // nanoseconds since 1970 by the store's clock
}

const (
	root          = "keeper"
	layoutName    = root + "/layout"
	layoutText    = "twip keeper store, layout 1\n"
	claimsDir     = root + "/claims"
	heartbeatsDir = root + "/beats"
	epochsDir     = root + "/epochs"
	tmpDir        = root + "/tmp"
	identityName  = root + "/identity"
)

func numbered(dir string, epoch uint64) string { return fmt.Sprintf("%s/%010d", dir, epoch) }
func claimName(epoch uint64) string            { return numbered(claimsDir, epoch) }
func heartbeatName(epoch uint64) string        { return numbered(heartbeatsDir, epoch) }
func completeName(epoch uint64) string         { return numbered(epochsDir, epoch) + "/complete" }
func releasedName(epoch uint64) string         { return numbered(epochsDir, epoch) + "/released" }

// DataDir is the directory of an epoch's JVM, relative to the store.
func DataDir(epoch uint64) string { return numbered(epochsDir, epoch) + "/data" }

// Claim says who may write in an epoch.
type Claim struct {
	Epoch   uint64    `json:"epoch"`
	Holder  string    `json:"holder"`            // random, one per process
	Address string    `json:"address"`           // where the holder serves; empty for a restore
	Store   string    `json:"store,omitempty"`   // identity of the store that it was made in; empty in older ones
	Release string    `json:"release,omitempty"` // the holder's; empty in older ones and of a restore
	Claimed time.Time `json:"claimed"`           // for people
}

// Errors that end a keeper's claim to an epoch.
var (
	ErrTaken   = errors.New("another keeper claimed the epoch first")
	ErrDeposed = errors.New("a newer epoch has been claimed")
)

// store is the protocol's view of the file system.
type store struct {
	fs   FS
	keep retention
}

func newStore(files FS) store { return store{fs: files, keep: defaultRetention} }

// newest returns the newest claimed epoch, 0 if there is none. known is one seen before; 0 makes it list.
func (s store) newest(known uint64) (uint64, error) {
	if known == 0 {
		highest, err := s.highestClaim()
		if err != nil {
			return 0, err
		}
		known = highest
	}
	for {
		switch _, err := s.fs.Stat(claimName(known + 1)); {
		case errors.Is(err, fs.ErrNotExist):
			return known, nil
		case err != nil:
			return 0, err
		}
		known++
	}
}

func (s store) highestClaim() (uint64, error) {
	numbers, err := s.numbers(claimsDir)
	if err != nil || len(numbers) == 0 {
		return 0, err
	}
	return numbers[len(numbers)-1], nil
}

// numbers lists a directory of numbered entries, in ascending order; one that is absent has none.
func (s store) numbers(dir string) ([]uint64, error) {
	entries, err := s.fs.List(dir)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return nil, err
	}
	var numbers []uint64
	for _, e := range entries {
		if strings.HasPrefix(e.Name, ".nfs") {
			continue // a removed file that a process of this computer has open still
		}
		n, err := strconv.ParseUint(e.Name, 10, 64)
		if err != nil || n == 0 {
			return nil, damaged("%s/%s is not a number", dir, e.Name)
		}
		numbers = append(numbers, n)
	}
	return numbers, nil
}

// claim makes c.Epoch the current epoch, or returns ErrTaken. After any other error it is unknown whether the
// claim was made, which costs a number and nothing else: nobody works in an epoch whose claim went wrong.
func (s store) claim(c Claim) error {
	if err := s.link(c); err != nil {
		return err
	}
	return s.confirm(c.Epoch)
}

// link is the moment of a claim. Whoever made it may send heartbeats, and has to confirm it before anything else.
func (s store) link(c Claim) error {
	data, err := json.Marshal(c)
	if err != nil {
		return err
	}
	tmp := fmt.Sprintf("%s/%s-%d", tmpDir, c.Holder, c.Epoch)
	if err := s.fs.Remove(tmp); err != nil { // of an attempt whose Remove failed
		return err
	}
	if err := s.fs.Create(tmp, data); err != nil {
		return err
	}
	err = s.fs.Link(tmp, claimName(c.Epoch))
	removed := s.fs.Remove(tmp)
	if errors.Is(err, fs.ErrExist) {
		// A server that restarts between a link and its answer reports our own link as taken.
		there, readErr := s.readClaim(c.Epoch)
		if readErr != nil {
			return readErr
		}
		if there.Holder != c.Holder {
			return ErrTaken
		}
	} else if err != nil {
		return err
	}
	return removed
}

// confirm makes a claim last, and finds out whether it came too late.
func (s store) confirm(epoch uint64) error {
	if err := s.fs.Sync(claimsDir); err != nil {
		return err
	}
	highest, err := s.highestClaim()
	if err == nil && highest > epoch {
		return ErrTaken
	}
	return err
}

func (s store) readClaim(epoch uint64) (Claim, error) {
	var c Claim
	data, err := s.fs.Read(claimName(epoch))
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(data, &c); err != nil || c.Epoch != epoch || c.Holder == "" {
		return c, damaged("%s is not a claim of epoch %d", claimName(epoch), epoch)
	}
	return c, nil
}

// release tells the next leader that epoch's JVM has ended, to keepers that know no other way. clean says that it ended
// by itself.
func (s store) release(epoch uint64, clean bool) error {
	dir := numbered(epochsDir, epoch)
	return errors.Join(s.fs.Write(releasedName(epoch), fmt.Appendf(nil, "{\"clean\":%t}\n", clean)), s.fs.Sync(dir))
}

// tenure is a claim with what its holder keeps open to prove it.
type tenure struct {
	store  store
	epoch  uint64
	claims Held
	claim  Info // of the file, which is never written again
	beats  Held
}

// begin opens what the holder of a claim works with. It fails if the claim is not holder's any more.
func (s store) begin(epoch uint64, holder string) (*tenure, error) {
	first, err := heartbeat{states: copyingMark}.encode()
	if err != nil {
		return nil, err
	}
	if err := errors.Join(s.fs.Write(heartbeatName(epoch), first), s.fs.Sync(heartbeatsDir)); err != nil {
		return nil, err
	}
	t := &tenure{store: s, epoch: epoch}
	if t.beats, err = s.fs.Hold(heartbeatName(epoch)); err != nil {
		return nil, err
	}
	if t.claims, err = s.fs.Hold(claimsDir); err != nil {
		t.end()
		return nil, err
	}
	if t.claim, err = t.claims.Look(path.Base(claimName(epoch))); err == nil {
		// After the look at the file, so that what was looked at is holder's.
		var c Claim
		if c, err = s.readClaim(epoch); err == nil && c.Holder != holder {
			err = ErrDeposed
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = ErrDeposed
	}
	if err != nil {
		t.end()
		return nil, err
	}
	return t, nil
}

// current is the fence's question: nil if the epoch is current and the holder's at some moment after the call began.
func (t *tenure) current() error {
	switch _, err := t.claims.Look(path.Base(claimName(t.epoch + 1))); {
	case err == nil:
		return ErrDeposed
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	// After the look at the successor, never before: see the package comment on deleted claims.
	claim, err := t.claims.Look(path.Base(claimName(t.epoch)))
	if errors.Is(err, fs.ErrNotExist) || err == nil && claim != t.claim {
		return ErrDeposed
	}
	return err
}

func (t *tenure) beat(h heartbeat) error {
	data, err := h.encode()
	if err != nil {
		return err
	}
	return t.beats.Overwrite(data)
}

func (t *tenure) end() {
	for _, h := range []Held{t.beats, t.claims} {
		if h != nil {
			_ = h.Close() // every write through it was synced
		}
	}
}
