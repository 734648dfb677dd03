package keeper

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func newDirStore(t *testing.T) (store, string) {
	t.Helper()
	dir := t.TempDir()
	s := newStore(dirFS(dir))
	initialize(t, s, "first")
	return s, dir
}

func initialize(t *testing.T, s store, holder string) string {
	t.Helper()
	identity, err := s.initialize(holder, 1)
	require.NoError(t, err)
	return identity
}

// current asks what the fence of epoch's holder would find, if the holder had begun at once.
func current(s store, epoch uint64, holder string) error {
	held, err := s.begin(epoch, holder)
	if err != nil {
		return err
	}
	defer held.end()
	return held.current()
}

// quiet are hands for which no time passes.
var quiet = hands{func() time.Duration { return 0 }, func(time.Duration) {}, nothing}

func TestClaim(t *testing.T) {
	s, _ := newDirStore(t)
	require.NotEmpty(t, initialize(t, s, "second"), "keepers that start at once initialize together")
	newest, err := s.newest(0)
	require.NoError(t, err)
	require.Zero(t, newest)

	require.NoError(t, s.claim(Claim{Epoch: 1, Holder: "a", Address: "a:1"}))
	require.NoError(t, s.claim(Claim{Epoch: 1, Holder: "a", Address: "a:1"}), "a link whose answer was lost is ours")
	require.ErrorIs(t, s.claim(Claim{Epoch: 1, Holder: "b"}), ErrTaken)
	require.NoError(t, current(s, 1, "a"))
	require.ErrorIs(t, current(s, 1, "b"), ErrDeposed)

	require.NoError(t, s.claim(Claim{Epoch: 2, Holder: "b"}))
	require.ErrorIs(t, current(s, 1, "a"), ErrDeposed)
	require.NoError(t, current(s, 2, "b"))
	for _, known := range []uint64{0, 1, 2} {
		newest, err = s.newest(known)
		require.NoError(t, err)
		require.EqualValues(t, 2, newest)
	}
	left, err := s.fs.List(tmpDir)
	require.NoError(t, err)
	require.Empty(t, left, "claims that were written and not removed")
}

// A claimant that slept while its number was taken and deleted must not lead.
func TestClaimOfDeletedNumber(t *testing.T) {
	s, _ := newDirStore(t)
	s.keep.claims = 2
	for epoch := range uint64(6) {
		require.NoError(t, s.claim(Claim{Epoch: epoch + 1, Holder: "a"}))
	}
	for removed := true; removed; {
		var err error
		removed, err = s.pruneClaim(6)
		require.NoError(t, err)
	}
	claims, err := s.numbers(claimsDir)
	require.NoError(t, err)
	require.Equal(t, []uint64{4, 5, 6}, claims)
	require.ErrorIs(t, s.claim(Claim{Epoch: 2, Holder: "late"}), ErrTaken)
	require.ErrorIs(t, current(s, 1, "a"), ErrDeposed, "epoch 1 has no successor any more, but is deleted itself")
}

// failing fails one operation, after having done it or not.
type failing struct {
	FS
	link error
	done bool
}

func (f *failing) Link(old, name string) error {
	if f.done {
		if err := f.FS.Link(old, name); err != nil {
			return err
		}
	}
	return f.link
}

func TestClaimThatFails(t *testing.T) {
	broken := errors.New("broken")
	for name, done := range map[string]bool{"not done": false, "done": true} {
		t.Run(name, func(t *testing.T) {
			s, _ := newDirStore(t)
			sick := s
			sick.fs = &failing{FS: s.fs, link: broken, done: done}
			require.ErrorIs(t, sick.claim(Claim{Epoch: 1, Holder: "a"}), broken)
			newest, err := s.newest(0)
			require.NoError(t, err)
			require.NoError(t, s.claim(Claim{Epoch: newest + 1, Holder: "a"}), "the next one has to work")
		})
	}
}

func TestFillAdopts(t *testing.T) {
	s, dir := newDirStore(t)
	files{
		"files*/" + journal1: "posts", "files*/deep/er/x": "y", "lost+found/": "",
		".sessions/100_old": "old", ".sessions/200_new": "new",
	}.write(t, dir)
	before := read(t, filepath.Join(dir, "files*"))
	src, err := s.source(1, nil)
	require.NoError(t, err)
	m, err := s.fill(1, src, "test", nil, quiet)
	require.NoError(t, err)
	require.Equal(t, []File{{"files*/" + journal1, 5}, {"files*/deep/er/x", 1}}, m.Files)
	require.Equal(t, files{
		"files*/": "", "files*/" + journal1: "posts", "files*/deep/": "", "files*/deep/er/": "", "files*/deep/er/x": "y",
		".sessions/": "", ".sessions/100_old": "old", ".sessions/200_new": "new",
	}, read(t, filepath.Join(dir, DataDir(1))))
	require.Equal(t, before, read(t, filepath.Join(dir, "files*")), "what is adopted stays as it is")
	src, err = s.source(2, nil)
	require.NoError(t, err)
	require.EqualValues(t, 1, src.epoch, "the next epoch starts from the first")
}

// growing is a directory in which a file appears while another one is copied.
type growing struct {
	FS
	appear func()
}

func (g *growing) Copy(from, name string, offset, limit int64) (int64, error) {
	n, err := g.FS.Copy(from, name, offset, limit)
	if g.appear != nil {
		g.appear()
		g.appear = nil
	}
	return n, err
}

// A journal that the former leader begins during the copy must not come without the end of the one before.
func TestFillStartsOverWhenFilesAppear(t *testing.T) {
	s, dir := newDirStore(t)
	led.write(t, dir)
	data := filepath.Join(dir, DataDir(1), "files*")
	s.fs = &growing{FS: s.fs, appear: func() {
		require.NoError(t, os.WriteFile(filepath.Join(data, journal1), []byte("posts and more"), 0o640))
		require.NoError(t, os.WriteFile(filepath.Join(data, "0000000000000000009.journal"), []byte("next"), 0o640))
	}}
	src, err := s.source(2, nil)
	require.NoError(t, err)
	m, err := s.fill(2, src, "test", nil, quiet)
	require.NoError(t, err)
	require.Equal(t, []File{{"files*/" + journal1, 14}, {"files*/0000000000000000009.journal", 4}}, m.Files)
}

func TestSessionsAreCopiedForALimitedTime(t *testing.T) {
	s, dir := newDirStore(t)
	files{"from/.sessions/100_a": "a", "from/.sessions/200_b": "b", "from/.sessions/300_c": "c", "to/": ""}.write(t, dir)
	now := time.Duration(0)
	clock := func() time.Duration { now += sessionTime * 2 / 3; return now }
	require.NoError(t, s.copySessions("from", "to", hands{clock, nil, nothing}))
	require.Equal(t, files{".sessions/": "", ".sessions/300_c": "c"}, read(t, filepath.Join(dir, "to")))
}

func TestCopyInChunks(t *testing.T) {
	dir := t.TempDir()
	files{"from": "0123456789"}.write(t, dir)
	d := dirFS(dir)
	for _, offset := range []int64{0, 4, 8} {
		n, err := d.Copy("from", "to", offset, 4)
		require.NoError(t, err)
		require.Equal(t, min(4, 10-offset), n)
	}
	require.Equal(t, "0123456789", read(t, dir)["to"])
	_, err := d.Copy("absent", "to", 0, 4)
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestRestore(t *testing.T) {
	s, dir := newDirStore(t)
	led.write(t, dir)
	src, err := s.source(2, nil)
	require.NoError(t, err)
	require.NoError(t, s.claim(Claim{Epoch: 2, Holder: "b"}))
	_, err = s.fill(2, src, "test", nil, quiet)
	require.NoError(t, err)
	require.NoError(t, os.Truncate(filepath.Join(dir, DataDir(2), "files*", journal1), 1))

	points, err := RestorePoints(dir)
	require.NoError(t, err)
	require.Len(t, points, 2)
	require.True(t, points[0].Newest)
	require.ErrorIs(t, points[0].Damaged, ErrRefused)
	require.NoError(t, points[1].Damaged)
	require.EqualValues(t, 5, points[1].Bytes)
	require.ErrorIs(t, s.inspect(3, "", nil), ErrRefused, "the newest epoch is damaged")

	_, err = Restore(dir, 7)
	require.ErrorContains(t, err, "epoch 7 is no restore point")
	next, err := Restore(dir, 1)
	require.NoError(t, err)
	require.EqualValues(t, 3, next)
	require.NoError(t, s.inspect(4, "", nil))
	src, err = s.source(4, nil)
	require.NoError(t, err)
	require.EqualValues(t, 3, src.epoch)
	seen, err := s.sight(3)
	require.NoError(t, err)
	require.True(t, seen.released, "a keeper takes over at once")
}

func TestPruneKeepsRestorePoints(t *testing.T) {
	s, dir := newDirStore(t)
	for epoch := range uint64(9) {
		require.NoError(t, s.claim(Claim{Epoch: epoch + 1, Holder: "a"}))
		if epoch == 4 {
			files{DataDir(5) + "/": ""}.write(t, dir) // never complete
			continue
		}
		src, err := s.source(epoch+1, nil)
		require.NoError(t, err)
		_, err = s.fill(epoch+1, src, "test", nil, quiet)
		require.NoError(t, err)
	}
	k, _ := newTestKeeper(dirFS(dir))
	for _, step := range []struct {
		age  time.Duration
		want []uint64
	}{{time.Hour, []uint64{4, 6, 7, 8, 9}}, {0, []uint64{7, 8, 9}}} {
		k.store.keep = retention{claims: 100, least: 2, most: 4, age: step.age, interval: time.Hour}
		term := &term{Keeper: k, epoch: 9}
		for term.pruneAt == 0 {
			term.prune()
		}
		epochs, err := s.numbers(epochsDir)
		require.NoError(t, err)
		require.Equal(t, step.want, epochs)
	}
}
