package keeper

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCopyOfSeveralChunks(t *testing.T) {
	s, dir := newDirStore(t)
	content := make([]byte, 2*chunk+12345)
	rand.New(rand.NewSource(1)).Read(content)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "large"), content, 0o600))
	size, err := s.copyFile("large", "copy", nothing)
	require.NoError(t, err)
	require.EqualValues(t, len(content), size)
	copied, err := os.ReadFile(filepath.Join(dir, "copy"))
	require.NoError(t, err)
	require.True(t, bytes.Equal(content, copied))
}

// recording notes what is synced and published.
type recording struct {
	FS
	did []string
}

func (r *recording) Sync(name string) error {
	r.did = append(r.did, "sync "+name)
	return r.FS.Sync(name)
}

func (r *recording) Link(old, name string) error {
	r.did = append(r.did, "link "+name)
	return r.FS.Link(old, name)
}

// Everything that a manifest names is on the disk before the manifest is, and so is the manifest before the JVM starts.
func TestCopiesAreSyncedBeforeTheyCount(t *testing.T) {
	s, dir := newDirStore(t)
	files{journal(1): "posts", "files*/deep/x": "y"}.write(t, dir)
	r := &recording{FS: s.fs}
	s.fs = r
	src, err := s.source(1, nil)
	require.NoError(t, err)
	_, err = s.fill(1, src, "test", nil, quiet)
	require.NoError(t, err)
	at := func(what string) int {
		t.Helper()
		i := slices.Index(r.did, what)
		require.GreaterOrEqual(t, i, 0, "%q was not done: %q", what, r.did)
		return i
	}
	complete, data := at("link "+completeName(1)), DataDir(1)
	for _, name := range []string{data, data + "/files*", data + "/files*/deep", data + "/" + journal(1),
		data + "/files*/deep/x", numbered(epochsDir, 1), epochsDir} {
		require.Less(t, at("sync "+name), complete, name)
	}
	require.Equal(t, "sync "+numbered(epochsDir, 1), r.did[len(r.did)-1])

	require.NoError(t, s.claim(Claim{Epoch: 1, Holder: "a"}))
	require.Greater(t, at("sync "+claimsDir), at("link "+claimName(1)))
	r.did = nil
	require.NoError(t, s.prove(1, File{journal(1), 5}))
	proof := at("link " + provenName(1, File{journal(1), 5}))
	require.Less(t, at("sync "+data+"/"+journal(1)), proof)
	require.Greater(t, at("sync "+provenDir(1)), proof)
}

func TestCreateIsExclusive(t *testing.T) {
	d := dirFS(t.TempDir())
	require.NoError(t, d.Create("x", []byte("first")))
	require.ErrorIs(t, d.Create("x", []byte("second")), fs.ErrExist)
	require.ErrorIs(t, d.Link("x", "x"), fs.ErrExist)
	content, err := d.Read("x")
	require.NoError(t, err)
	require.Equal(t, "first", string(content))
}

// Who cannot read that a claim is its own has none.
func TestOwnClaimThatCannotBeRead(t *testing.T) {
	s, dir := newDirStore(t)
	require.NoError(t, s.claim(Claim{Epoch: 1, Holder: "a"}))
	held, err := newStore(broken{s.fs}).begin(1, "a")
	require.Nil(t, held)
	require.ErrorIs(t, err, errBroken)
	files{claimName(1): "{"}.write(t, dir)
	require.ErrorIs(t, current(s, 1, "a"), ErrRefused)
}

// A number long passed, whose claims were deleted, and which a claimant that slept has linked again.
func TestOwnNumberClaimedByAnother(t *testing.T) {
	s, _ := newDirStore(t)
	require.NoError(t, s.claim(Claim{Epoch: 1, Holder: "a"}))
	held, err := s.begin(1, "a")
	require.NoError(t, err)
	defer held.end()
	require.NoError(t, held.current())
	require.NoError(t, s.fs.Remove(claimName(1)))
	require.ErrorIs(t, held.current(), ErrDeposed)
	require.NoError(t, s.claim(Claim{Epoch: 1, Holder: "b"}))
	require.ErrorIs(t, held.current(), ErrDeposed)
}

var errBroken = errors.New("broken")

type broken struct{ FS }

func (b broken) Read(string) ([]byte, error) { return nil, errBroken }

// The mark is on the store before the look at the claims, or a claim between the two would not see it.
func TestFenceWritesTheMarkBeforeItLooks(t *testing.T) {
	s, dir := newDirStore(t)
	k, _ := newTestKeeper(dirFS(dir))
	require.NoError(t, s.claim(Claim{Epoch: 1, Holder: k.id, Address: "a:1"}))
	leadNow(t, k, 1)
	files{DataDir(1) + "/" + journal(1): "a post"}.write(t, dir)
	require.NoError(t, k.MayAnswer(1))
	seen, err := s.sight(1)
	require.NoError(t, err)
	require.Equal(t, []mark{{journal(1), 6}}, seen.marks)
	require.True(t, seen.served)

	files{DataDir(1) + "/" + journal(1): "a post, and more"}.write(t, dir)
	require.NoError(t, s.claim(Claim{Epoch: 2, Holder: "b", Address: "b:1"}))
	require.ErrorIs(t, k.MayAnswer(1), ErrDeposed)
	seen, err = s.sight(1)
	require.NoError(t, err)
	require.EqualValues(t, 16, seen.marks[0].Bytes)
}

// stubborn is a computer whose JVM does not end when it is asked to.
type stubborn struct {
	*testEnvironment
	store store
	t     *testing.T
}

func (e stubborn) Start(epoch uint64) (JVM, error) {
	j, err := e.testEnvironment.Start(epoch)
	return stubbornJVM{j.(*testJVM), e, epoch}, err
}

type stubbornJVM struct {
	*testJVM
	env   stubborn
	epoch uint64
}

func (j stubbornJVM) Stop() {}
func (j stubbornJVM) Kill() {
	if !closed(j.exited) {
		seen, err := j.env.store.sight(j.epoch)
		if err != nil || seen.released {
			j.env.t.Errorf("released (%v, %v) while its JVM still runs", seen, err)
		}
	}
	j.testJVM.Kill()
}

func TestReleaseComesAfterTheJVMsDeath(t *testing.T) {
	dir := t.TempDir()
	k, w := newTestKeeper(dirFS(dir))
	k.env = stubborn{w, k.store, t}
	k.timing.Stop = 10 * time.Millisecond
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() { k.Run(stop, stop); close(ended) }()
	require.Eventually(t, func() bool { return k.Route().Self }, 10*time.Second, time.Millisecond)
	close(stop)
	<-ended
	seen, err := k.store.sight(1)
	require.NoError(t, err)
	require.True(t, seen.released)
}
