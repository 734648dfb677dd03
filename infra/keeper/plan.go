package keeper

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// File is a file of an epoch, by its name in the data directory.
type File struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
}

// Prevayler 2.3 names its files %019d.snapshot, after the last transaction in it, and %019d.journal, after the first
// (PrevaylerDirectory). Applications may choose the rest of the suffix.
var (
	snapshotFile = regexp.MustCompile(`^(\d{19})\.[a-zA-Z0-9]*[Ss]napshot$`)
	journalFile  = regexp.MustCompile(`^(\d{19})\.[a-zA-Z0-9]*[Jj]ournal$`)
	// A journal whose first transaction is torn is renamed at the next start, to <name>.unusedFile<time>.
	unusedFile = regexp.MustCompile(`^(\d{19}\.[a-zA-Z0-9]*[Jj]ournal)\.unusedFile\d+$`)
	// A snapshot is written beside its name first.
	unfinishedFile = regexp.MustCompile(
		`^snapshot\d+temp\d*\.?generalSnapshot$|^\d{19}\.[a-zA-Z0-9]*[Ss]napshot\.writing$`)
)

func snapshotNumber(name string) (uint64, bool) { return numberIn(snapshotFile, name) }
func journalNumber(name string) (uint64, bool)  { return numberIn(journalFile, name) }

func numberIn(pattern *regexp.Regexp, name string) (uint64, bool) {
	found := pattern.FindStringSubmatch(name)
	if found == nil {
		return 0, false
	}
	n, err := strconv.ParseUint(found[1], 10, 64)
	return n, err == nil
}

// proven are the snapshots of an epoch that are known to be whole and on the disk, by name in the data directory. Each
// is kept by a link of the keeper's own, for Prevayler deletes a snapshot before it writes it again.
type proven map[string]int64

func provenDir(epoch uint64) string { return numbered(epochsDir, epoch) + "/snapshots" }

func provenName(epoch uint64, f File) string {
	return fmt.Sprintf("%s/%s@%d", provenDir(epoch), url.PathEscape(f.Name), f.Bytes)
}

func (s store) proven(epoch uint64) (proven, error) {
	found := proven{}
	entries, err := s.fs.List(provenDir(epoch))
	if errors.Is(err, fs.ErrNotExist) {
		return found, nil
	}
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		escaped, size, _ := strings.Cut(e.Name, "@")
		name, err := url.PathUnescape(escaped)
		bytes, sizeErr := strconv.ParseInt(size, 10, 64)
		if err != nil || sizeErr != nil {
			continue // not ours, as .nfs files are not
		}
		info, err := s.fs.Stat(provenName(epoch, File{name, bytes}))
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed since it was listed
		}
		if err != nil {
			return nil, err
		}
		if info.Bytes == bytes {
			found[name] = bytes
		}
	}
	return found, nil
}

// prove makes a snapshot one that a takeover relies on.
func (s store) prove(epoch uint64, f File) error {
	if err := s.fs.Sync(path.Join(DataDir(epoch), f.Name)); err != nil {
		return err
	}
	if err := s.fs.Mkdir(provenDir(epoch)); err != nil {
		return err
	}
	from, to := path.Join(DataDir(epoch), f.Name), provenName(epoch, f)
	err := s.fs.Link(from, to)
	if errors.Is(err, fs.ErrExist) {
		there, statErr := s.fs.Stat(to)
		if err = statErr; err == nil && there.Bytes != f.Bytes { // damaged since
			err = errors.Join(s.fs.Remove(to), s.fs.Link(from, to))
		}
	}
	return errors.Join(err, s.fs.Sync(provenDir(epoch)))
}

// part is a file to be copied, and where it comes from.
type part struct {
	File
	from   string
	proven bool // a snapshot that is
}

// plan picks what a new epoch needs: in every directory of Prevayler's, the newest snapshot and the journals after it;
// of other files all. If the newest snapshot is not proven, it may be damaged, so the one before it comes too, with the
// journals after that one. Snapshots in suspects are left out unless proven: a JVM has failed to start from them.
func plan(dir string, files []File, linked map[string]part, suspects map[File]bool) []part {
	var parts []part
	byDir := map[string][]File{}
	for _, f := range files {
		byDir[path.Dir(f.Name)] = append(byDir[path.Dir(f.Name)], f)
	}
	for name := range linked {
		byDir[path.Dir(name)] = append([]File{}, byDir[path.Dir(name)]...) // the data directory may have lost it
	}
	for sub, inside := range byDir {
		snapshots := snapshotsOf(dir, sub, inside, linked, suspects)
		base := uint64(0)
		if len(snapshots) > 0 {
			parts = append(parts, snapshots[0])
			oldest := snapshots[0]
			if !oldest.proven {
				oldest = fallback(snapshots[1:])
			}
			if oldest.Name != "" {
				base, _ = snapshotNumber(path.Base(oldest.Name))
				if oldest.Name != snapshots[0].Name {
					parts = append(parts, oldest)
				}
			}
		}
		first := firstJournal(inside, base)
		for _, f := range inside {
			name := path.Base(f.Name)
			if _, is := snapshotNumber(name); is || unusedFile.MatchString(name) || unfinishedFile.MatchString(name) {
				continue
			}
			if n, is := journalNumber(name); !is || n >= first {
				parts = append(parts, part{File: f, from: path.Join(dir, f.Name)})
			}
		}
	}
	slices.SortFunc(parts, func(a, b part) int { return strings.Compare(a.Name, b.Name) })
	return parts
}

// fallback is the newest proven snapshot, or the newest; with neither, the journals have to do.
func fallback(older []part) part {
	for _, p := range older {
		if p.proven {
			return p
		}
	}
	if len(older) > 0 {
		return older[0]
	}
	return part{}
}

// snapshotsOf returns the snapshots of a directory that may be used, the newest first. A proven one wins over what
// Prevayler may have written again under its name, which holds the same.
func snapshotsOf(dir, sub string, files []File, linked map[string]part, suspects map[File]bool) []part {
	found := map[uint64]part{}
	for _, f := range files {
		if n, is := snapshotNumber(path.Base(f.Name)); is && f.Bytes > 0 && !suspects[f] {
			found[n] = part{File: f, from: path.Join(dir, f.Name)}
		}
	}
	for name, p := range linked {
		if n, is := snapshotNumber(path.Base(name)); is && path.Dir(name) == sub {
			found[n] = p
		}
	}
	var sorted []part
	for _, p := range found {
		sorted = append(sorted, p)
	}
	slices.SortFunc(sorted, func(a, b part) int { return cmp.Compare(b.Name, a.Name) })
	return sorted
}

// firstJournal is the number of the journal that transaction base+1 is in, or would be.
func firstJournal(files []File, base uint64) uint64 {
	first := uint64(0)
	for _, f := range files {
		if n, is := journalNumber(path.Base(f.Name)); is && n <= base+1 {
			first = max(first, n)
		}
	}
	return first
}

// intact refuses a source from which files have gone that its manifest names and that the plan would need.
func (src source) intact(m Manifest) error {
	there, unused := map[string]int64{}, map[string]int64{}
	for _, f := range src.files {
		there[f.Name] = f.Bytes
		if found := unusedFile.FindStringSubmatch(path.Base(f.Name)); found != nil {
			name := path.Join(path.Dir(f.Name), found[1])
			unused[name] = max(unused[name], f.Bytes)
		}
	}
	for _, f := range m.Files {
		name, sub := path.Base(f.Name), path.Dir(f.Name)
		now, here := there[f.Name]
		if _, is := snapshotNumber(name); is {
			if !src.based(sub) {
				return damaged("%s/%s is missing or empty, and there is no other snapshot", src.dir, f.Name)
			}
			continue // Prevayler writes it again, perhaps smaller, or the leader has taken it away for a newer one
		}
		if n, is := journalNumber(name); is && n < src.firstNeeded(sub) {
			continue // superseded
		}
		// Prevayler has set it aside, and perhaps begun it again with a shorter transaction.
		if set, is := unused[f.Name]; is && set >= f.Bytes {
			continue
		}
		switch {
		case !here:
			return damaged("%s/%s is missing", src.dir, f.Name)
		case now < f.Bytes:
			return damaged("%s/%s has %d bytes, it had %d", src.dir, f.Name, now, f.Bytes)
		}
	}
	return nil
}

// based says that there is a snapshot to begin with in a directory.
func (src source) based(sub string) bool {
	return slices.ContainsFunc(src.parts, func(p part) bool {
		_, is := snapshotNumber(path.Base(p.Name))
		return is && path.Dir(p.Name) == sub
	})
}

// firstNeeded is the number of the first journal of a directory that is copied; those before are superseded. Without a
// snapshot every journal is needed.
func (src source) firstNeeded(sub string) uint64 {
	if !src.based(sub) {
		return 0
	}
	first := uint64(math.MaxUint64)
	for _, p := range src.parts {
		if n, is := journalNumber(path.Base(p.Name)); is && path.Dir(p.Name) == sub {
			first = min(first, n)
		}
		if n, is := snapshotNumber(path.Base(p.Name)); is && path.Dir(p.Name) == sub {
			first = min(first, n+1) // the journal of this transaction may not be there
		}
	}
	return first
}
