package keeper

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// files is a store's content by name; a name that ends in / is a directory.
type files map[string]string

// write makes the files below dir.
func (f files) write(t *testing.T, dir string) {
	t.Helper()
	for name, content := range f {
		full := filepath.Join(dir, name)
		if name[len(name)-1] == '/' {
			require.NoError(t, os.MkdirAll(full, 0o750))
			continue
		}
		require.NoError(t, os.MkdirAll(filepath.Dir(full), 0o750))
		require.NoError(t, os.WriteFile(full, []byte(content), 0o640))
	}
}

// read returns all that is below dir.
func read(t *testing.T, dir string) files {
	t.Helper()
	found := files{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if e.IsDir() {
			found[name+"/"] = ""
			return nil
		}
		content, err := os.ReadFile(path)
		found[name] = string(content)
		return err
	}))
	return found
}

// with returns a copy of f that also has more.
func (f files) with(more files) files {
	all := files{}
	for _, part := range []files{f, more} {
		for name, content := range part {
			all[name] = content
		}
	}
	return all
}

const journal1 = "0000000000000000001.journal"

// led is a store in which epoch 1 has served.
var led = files{
	"keeper/layout":                                    layoutText,
	"keeper/claims/0000000001":                         `{"epoch":1,"holder":"a","address":"a:1"}`,
	"keeper/beats/0000000001":                          "00000000000000000009 serving\n",
	"keeper/epochs/0000000001/complete":                `{"epoch":1,"files":[{"name":"files*/` + journal1 + `","bytes":4}]}`,
	"keeper/epochs/0000000001/data/files*/" + journal1: "posts",
	"keeper/tmp/":                                      "",
}

func TestInspect(t *testing.T) {
	without := func(f files, names ...string) files {
		f = f.with(nil)
		for _, name := range names {
			delete(f, name)
		}
		return f
	}
	for name, test := range map[string]struct {
		store   files
		next    uint64
		refused string // "" if it can be led
	}{
		"empty":                        {files{}, 1, ""},
		"a file system's own":          {files{"lost+found/": ""}, 1, ""},
		"Prevayler's":                  {files{"files*/" + journal1: "posts", "lost+found/": ""}, 1, ""},
		"Prevayler's, with sessions":   {files{"files*/" + journal1: "posts", ".sessions/123_x": "s"}, 1, ""},
		"Prevayler's snapshot only":    {files{"files*/0000000000000000007.snapshot": "all"}, 1, ""},
		"led before":                   {led, 2, ""},
		"initialized halfway":          {files{"keeper/tmp/x-layout": "tw"}, 1, ""},
		"renamed after a torn start":   {without(led, "keeper/epochs/0000000001/data/files*/"+journal1).with(files{"keeper/epochs/0000000001/data/files*/" + journal1 + ".unusedFile17": "posts"}), 2, ""},
		"somebody's files":             {files{"holiday.jpg": "x"}, 1, `"holiday.jpg" is neither`},
		"somebody's directory":         {files{"files*/" + journal1: "posts", "photos/holiday.jpg": "x"}, 1, `"photos/holiday.jpg" is neither`},
		"a newer keeper's":             {led.with(files{"keeper/layout": "twip keeper store, layout 2\n"}), 2, "newer keeper"},
		"a keeper's without a layout":  {without(led, "keeper/layout"), 2, "keeper/layout is not"},
		"claims lost":                  {without(led, "keeper/claims/0000000001"), 1, "nobody claimed epoch 1"},
		"manifest lost":                {without(led, "keeper/epochs/0000000001/complete"), 2, "epoch 1 has served"},
		"manifest destroyed":           {led.with(files{"keeper/epochs/0000000001/complete": "\x00\x00"}), 2, "is not a manifest"},
		"journal lost":                 {without(led, "keeper/epochs/0000000001/data/files*/"+journal1).with(files{"keeper/epochs/0000000001/data/files*/": ""}), 2, journal1 + " is missing"},
		"journal cut short":            {led.with(files{"keeper/epochs/0000000001/data/files*/" + journal1: "pos"}), 2, "has 3 bytes, it had 4"},
		"data lost":                    {without(led, "keeper/epochs/0000000001/data/files*/"+journal1), 2, "data is missing"},
		"something else in the claims": {led.with(files{"keeper/claims/README": "x"}), 2, ""}, // claims are read by number while one is known
		"something else in the epochs": {led.with(files{"keeper/epochs/README": "x"}), 2, "README is not a number"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			test.store.write(t, dir)
			before := read(t, dir)
			err := newStore(dirFS(dir)).inspect(test.next, "", nil)
			if test.refused == "" {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, ErrRefused)
				require.ErrorContains(t, err, test.refused)
			}
			require.Equal(t, before, read(t, dir), "the store was modified")
		})
	}
}

// limited is a file system without space, or without permission to write.
type limited struct {
	FS
	free  int64
	write error
}

func (l limited) Free() (int64, error) { return l.free, nil }

func (l limited) Create(name string, data []byte) error {
	if l.write != nil {
		return l.write
	}
	return l.FS.Create(name, data)
}

func (l limited) Mkdir(name string) error {
	if l.write != nil {
		return l.write
	}
	return l.FS.Mkdir(name)
}

func TestStoreThatCannotBeWritten(t *testing.T) {
	for name, test := range map[string]struct {
		files limited
		says  string
	}{
		"full":      {limited{free: 1 << 20}, "full: 1048576 bytes are free"},
		"read-only": {limited{free: 1 << 40, write: syscall.EROFS}, "read-only file system"},
	} {
		for kind, content := range map[string]files{"fresh": {"files*/" + journal1: "posts"}, "led before": led} {
			t.Run(name+", "+kind, func(t *testing.T) {
				dir := t.TempDir()
				content.write(t, dir)
				before := read(t, dir)
				test.files.FS = dirFS(dir)
				k, _ := newTestKeeper(test.files)
				k.look()
				require.ErrorContains(t, k.lead("test", 0, nil), test.says)
				require.Equal(t, before, read(t, dir), "the store was modified")
			})
		}
	}
}

func TestStoreThatVanishes(t *testing.T) {
	dir := t.TempDir()
	led.write(t, dir)
	k, _ := newTestKeeper(dirFS(dir))
	require.True(t, k.look())
	require.NoError(t, os.RemoveAll(filepath.Join(dir, root)))
	k.seen = sighting{}
	require.True(t, k.look())
	err := k.lead("test", 0, nil)
	require.ErrorIs(t, err, ErrRefused)
	require.ErrorContains(t, err, "another file system is mounted")
	require.Empty(t, read(t, dir), "an empty directory was taken for a new store")
}
