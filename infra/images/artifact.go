package images

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// An unpacked artifact above these limits is a mistake or an attack; both are far above any real companyNews.
const (
	largestArtifact = 512 << 20 // bytes, unpacked
	mostEntries     = 50_000
)

// artifact is one of the two files that a team may provide.
type artifact struct {
	name   string
	sample map[string]string // what stands in: embedded directory by its place in the context's directory
	place  string            // where the contents go, below the context's directory
	// inside finds, or refuses, what the artifact must hold.
	inside func(tree) (tree, error)
}

var companyNewsWAR = artifact{
	name:   "companyNews.war",
	sample: map[string]string{"root": "sample/webapp", "src": "sample/src"},
	place:  "root",
	inside: webApplication,
}

var staticZip = artifact{
	name:   "static.zip",
	sample: map[string]string{"": "sample/static"},
	inside: staticSite,
}

// contents are what an image has beside its recipe.
type contents struct {
	source   string // for people
	artifact string // the file that a team provided, "" for none
	checksum string // "sha256:…" of that file
}

// Artifacts are the names of the files that a team provides.
var Artifacts = []string{companyNewsWAR.name, staticZip.name}

// addArtifact adds the unpacked artifact, or the sample where there is none, below dir.
func (t tree) addArtifact(dir, artifacts string, a artifact) (contents, error) {
	if artifacts == "" {
		return t.addSample(dir, a)
	}
	name := filepath.Join(artifacts, a.name)
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return t.addSample(dir, a)
	}
	if err != nil {
		return contents{}, fmt.Errorf("artifact %s: %w: make it readable, or remove it to use the sample", name, err)
	}
	unpacked, err := unpack(data)
	if err == nil {
		unpacked, err = a.inside(unpacked)
	}
	if err != nil {
		return contents{}, fmt.Errorf("artifact %s (%d bytes): %w: build it again, or remove it to use the sample", name,
			len(data), err)
	}
	for inside, f := range unpacked {
		t[path.Join(dir, a.place, inside)] = f
	}
	return contents{
		source:   fmt.Sprintf("%s (%d files, %.1f MB)", a.name, len(unpacked), float64(len(data))/1e6),
		artifact: a.name,
		checksum: fmt.Sprintf("sha256:%x", sha256.Sum256(data)),
	}, nil
}

func (t tree) addSample(dir string, a artifact) (contents, error) {
	for _, place := range slices.Sorted(maps.Keys(a.sample)) {
		if err := t.add(path.Join(dir, place), samples, a.sample[place]); err != nil {
			return contents{}, err
		}
	}
	return contents{source: fmt.Sprintf("the sample companyNews (there is no %s)", a.name)}, nil
}

// unpack reads a whole zip file. Directories and what macOS adds of its own are left out.
func unpack(data []byte) (tree, error) {
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("not a readable zip file: %w", err)
	}
	if len(archive.File) > mostEntries {
		return nil, fmt.Errorf("it has %d entries, more than %d", len(archive.File), mostEntries)
	}
	files := tree{}
	room := int64(largestArtifact)
	for _, entry := range archive.File {
		// Some tools on Windows write their own separator, against the specification.
		name := strings.ReplaceAll(entry.Name, `\`, "/")
		if strings.HasSuffix(name, "/") || foreign(name) {
			continue
		}
		if !fs.ValidPath(name) || strings.ContainsRune(name, 0) {
			return nil, fmt.Errorf("entry %q: its name would leave the directory it is unpacked to", entry.Name)
		}
		if !entry.Mode().IsRegular() {
			return nil, fmt.Errorf("entry %q: it is a link or a device, only files and directories are allowed",
				entry.Name)
		}
		content, err := read(entry, room)
		if err != nil {
			return nil, fmt.Errorf("entry %q: %w", entry.Name, err)
		}
		room -= int64(len(content))
		if before, ok := files[name]; ok && !bytes.Equal(before.data, content) {
			return nil, fmt.Errorf("entry %q: it is there twice with different contents", entry.Name)
		}
		files[name] = file{data: content, mode: plain}
	}
	return files, files.refuseFilesAsDirectories()
}

func read(entry *zip.File, room int64) ([]byte, error) {
	reader, err := entry.Open()
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(io.LimitReader(reader, room+1))
	if err := errors.Join(err, reader.Close()); err != nil {
		return nil, err
	}
	if int64(len(content)) > room {
		return nil, fmt.Errorf("unpacked, the artifact exceeds %d MB", largestArtifact>>20)
	}
	return content, nil
}

// foreign tells whether an entry is what macOS adds to every zip file it makes.
func foreign(name string) bool {
	return strings.HasPrefix(name, "__MACOSX/") || path.Base(name) == ".DS_Store"
}

func (t tree) refuseFilesAsDirectories() error {
	for _, name := range slices.Sorted(maps.Keys(t)) {
		for parent := path.Dir(name); parent != "."; parent = path.Dir(parent) {
			if _, ok := t[parent]; ok {
				return fmt.Errorf("entry %q: it is a file, and a directory in %q", parent, name)
			}
		}
	}
	return nil
}

// webApplication wants the layout of the servlet specification. The deployment descriptor is optional since version
// 3.0.
func webApplication(t tree) (tree, error) {
	if len(t.child("WEB-INF")) == 0 {
		return nil, errors.New("it has no WEB-INF directory at its top, so it is not a web application")
	}
	return t, nil
}

// staticSite finds styles and images at the top, or in the one directory that holds them.
func staticSite(t tree) (tree, error) {
	tops := map[string]bool{}
	for name := range t {
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if base := path.Base(dir); base == "styles" || base == "images" {
				tops[path.Dir(dir)] = true
			}
		}
	}
	// styles/images/ inside styles/ is an ordinary place for pictures: only the outermost directories count.
	maps.DeleteFunc(tops, func(top string, _ bool) bool {
		for other := range tops {
			if other != top && (other == "." || strings.HasPrefix(top, other+"/")) {
				return true
			}
		}
		return false
	})
	switch found := slices.Sorted(maps.Keys(tops)); len(found) {
	case 0:
		return nil, errors.New("it holds neither a styles nor an images directory, which is all that is served from it")
	case 1:
		return t.child(found[0]), nil
	default:
		return nil, fmt.Errorf("it holds styles or images in several directories (%s): keep one",
			strings.Join(found, ", "))
	}
}
