package keeper

import (
	"errors"
	"path"
	"slices"
	"strings"
)

// provenKept is how many snapshots stay in the epoch that serves: the newest, and the one before in case of damage.
const provenKept = 2

// thin proves the newest snapshots of the epoch that its JVM has written, and removes what those supersede. The
// journals that the older one of them needs stay, and so does the last journal, to which the JVM may append.
func (s store) thin(epoch uint64, progress func() error) error {
	dir := DataDir(epoch)
	files, err := s.files(dir)
	if err != nil {
		return err
	}
	known, err := s.proven(epoch)
	if err != nil {
		return err
	}
	byDir := map[string][]File{}
	for _, f := range files {
		byDir[path.Dir(f.Name)] = append(byDir[path.Dir(f.Name)], f)
	}
	for _, inside := range byDir {
		if err := s.thinDir(epoch, inside, known, progress); err != nil {
			return err
		}
	}
	return nil
}

func (s store) thinDir(epoch uint64, files []File, known proven, progress func() error) error {
	var snapshots []File // the newest first
	for _, f := range slices.Backward(files) {
		if _, is := snapshotNumber(path.Base(f.Name)); is && f.Bytes > 0 {
			snapshots = append(snapshots, f)
		}
	}
	for _, f := range snapshots[:min(provenKept, len(snapshots))] {
		if _, is := known[f.Name]; !is {
			if err := errors.Join(s.prove(epoch, f), progress()); err != nil {
				return err
			}
			known[f.Name] = f.Bytes
		}
	}
	if len(snapshots) < provenKept {
		return nil
	}
	oldest := snapshots[provenKept-1]
	var superseded []string
	for name, bytes := range known {
		if path.Dir(name) == path.Dir(oldest.Name) && name < oldest.Name {
			superseded = append(superseded, provenName(epoch, File{name, bytes}))
		}
	}
	base, _ := snapshotNumber(path.Base(oldest.Name))
	first := firstJournal(files, base)
	for _, f := range files {
		name := path.Base(f.Name)
		journal, isJournal := journalNumber(name)
		_, isSnapshot := snapshotNumber(name)
		if isSnapshot && f.Name < oldest.Name || isJournal && journal < first {
			superseded = append(superseded, path.Join(DataDir(epoch), f.Name))
		}
	}
	slices.SortFunc(superseded, strings.Compare)
	for _, name := range superseded {
		if err := errors.Join(s.fs.Remove(name), progress()); err != nil {
			return err
		}
	}
	return nil
}
