package keeper

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// slow is a store on which some operations take long.
type slow struct {
	FS
	list, sync, copy time.Duration
}

func (s slow) List(dir string) ([]Entry, error) { time.Sleep(s.list); return s.FS.List(dir) }
func (s slow) Sync(name string) error           { time.Sleep(s.sync); return s.FS.Sync(name) }
func (s slow) Copy(from, name string, offset, limit int64) (int64, error) {
	time.Sleep(s.copy)
	return s.FS.Copy(from, name, offset, limit)
}

// An operation that takes longer than the election time-out looks like no death to others: heartbeats go on beside it.
func TestSlowOperationsLoseNoLead(t *testing.T) {
	for name, files := range map[string]slow{
		"list": {list: 200 * time.Millisecond}, "sync": {sync: 700 * time.Millisecond}, "copy": {copy: 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			led.write(t, dir)
			files.FS = dirFS(dir)
			a, _ := newTestKeeper(files)
			b, _ := newTestKeeper(dirFS(dir))
			b.address = "b:1"
			a.timing.ElectionTimeout, b.timing.ElectionTimeout = time.Second, time.Second
			stop, ended := make(chan struct{}), make(chan struct{}, 2)
			require.True(t, a.look())
			go func() { _ = a.lead("test", a.env.Now(), stop); ended <- struct{}{} }()
			require.Eventually(t, func() bool { return b.look() && b.seen.claim.Holder == a.id }, 10*time.Second, time.Millisecond)
			go func() { b.Run(stop, stop); ended <- struct{}{} }()
			require.Eventually(t, func() bool { return a.Route().Self }, 30*time.Second, time.Millisecond)
			require.EqualValues(t, 2, a.Route().Epoch, "another keeper claimed meanwhile")
			close(stop)
			<-ended
			<-ended
		})
	}
}

// Sessions never hold a switch up, however many there are and whatever is wrong with them.
func TestSessionsAreNoReasonToFail(t *testing.T) {
	s, dir := newDirStore(t)
	led.with(files{"keeper/epochs/0000000001/data/.sessions/1_a": "a", "keeper/epochs/0000000001/data/.sessions/2_b": "b"}).write(t, dir)
	s.fs = stale{s.fs}
	src, err := s.source(2, nil)
	require.NoError(t, err)
	_, err = s.fill(2, src, "test", nil, quiet)
	require.NoError(t, err)
}

// stale is a store whose sessions vanish while they are copied.
type stale struct{ FS }

func (s stale) Copy(from, name string, offset, limit int64) (int64, error) {
	if strings.Contains(from, sessions) {
		return 0, syscall.ESTALE
	}
	return s.FS.Copy(from, name, offset, limit)
}

// What hangs may be this server's own way to the store: the time of a look counts for nobody's silence.
func TestOwnHangIsNotSilence(t *testing.T) {
	k, w := newFrozenKeeper(t)
	k.store.fs = hanging{k.store.fs, func() { w.now += 8 * time.Second }}
	require.True(t, k.look())
	require.Empty(t, k.vacant(), "the look hung for 8 s")
}

type hanging struct {
	FS
	hang func()
}

func (h hanging) Read(name string) ([]byte, error) { h.hang(); return h.FS.Read(name) }

// Epochs whose JVM never answered are passed over, and are the first to go.
func TestFailedStartsEatNoRestorePoints(t *testing.T) {
	s, dir := newDirStore(t)
	led.write(t, dir)
	for epoch := uint64(2); epoch < 12; epoch++ {
		src, err := s.source(epoch, nil)
		require.NoError(t, err)
		require.EqualValues(t, 1, src.epoch)
		require.NoError(t, s.claim(Claim{Epoch: epoch, Holder: "a", Address: "a:1"}))
		_, err = s.fill(epoch, src, "test", nil, quiet)
		require.NoError(t, err)
	}
	superfluous, err := s.superfluous(12, defaultRetention)
	require.NoError(t, err)
	require.Equal(t, []uint64{2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, superfluous)
	points, err := RestorePoints(dir)
	require.NoError(t, err)
	require.Len(t, points, 1)
}

// filling is a file system of limited size.
type filling struct {
	FS
	dir  string
	size int64
}

func (f filling) Free() (int64, error) {
	free := f.size
	err := filepath.WalkDir(f.dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return nil
		}
		info, err := e.Info()
		if err == nil {
			free -= info.Size()
		}
		return nil
	})
	return free, err
}

func TestRoomIsMadeFromOldRestorePoints(t *testing.T) {
	s, dir := newDirStore(t)
	const large = 4 << 20
	files{journal(1): strings.Repeat("x", large)}.write(t, dir)
	for epoch := uint64(1); epoch < 8; epoch++ {
		src, err := s.source(epoch, nil)
		require.NoError(t, err)
		require.NoError(t, s.claim(Claim{Epoch: epoch, Holder: "a", Address: "a:1"}))
		_, err = s.fill(epoch, src, "test", nil, quiet)
		require.NoError(t, err)
		files{heartbeatName(epoch): "00000000000000000001 serving\n"}.write(t, dir)
	}
	k, _ := newTestKeeper(filling{dirFS(dir), dir, 8*large + spare + large/2})
	stop := make(chan struct{})
	require.True(t, k.look())
	ended := make(chan error)
	go func() { ended <- k.lead("test", 0, stop) }()
	require.Eventually(t, func() bool { return k.Route().Self }, 10*time.Second, time.Millisecond)
	close(stop)
	require.NoError(t, <-ended)
	epochs, err := s.numbers(epochsDir)
	require.NoError(t, err)
	require.NotContains(t, epochs, uint64(1))
	require.Subset(t, epochs, []uint64{6, 7, 8})

	small, _ := newTestKeeper(filling{dirFS(dir), dir, large})
	require.True(t, small.look())
	require.ErrorContains(t, small.lead("test", 0, nil), "full")
}

func TestAnotherStoreIsRefused(t *testing.T) {
	s, dir := newDirStore(t)
	led.write(t, dir)
	identity := initialize(t, s, "x")
	for name, test := range map[string]struct {
		dir, expect string
		refused     string
	}{
		"any":             {t.TempDir(), "", ""},
		"empty":           {t.TempDir(), Present, "it is empty, and one was expected"},
		"empty, named":    {t.TempDir(), identity, "it is empty"},
		"the right one":   {dir, identity, ""},
		"present":         {dir, Present, ""},
		"another than it": {dir, "0123456789abcdef", "was expected"},
	} {
		t.Run(name, func(t *testing.T) {
			st := newStore(dirFS(test.dir))
			newest, err := st.newest(0)
			require.NoError(t, err)
			err = st.inspect(newest+1, test.expect, nil)
			if test.refused == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, ErrRefused)
			require.ErrorContains(t, err, test.refused)
		})
	}

	// A mount that leads to another store while the keeper runs.
	k, _ := newTestKeeper(dirFS(dir))
	k.identity = identity
	require.NoError(t, s.claim(Claim{Epoch: 2, Holder: "b", Address: "b:1", Store: "fedcba9876543210"}))
	require.False(t, k.look())
	require.Empty(t, k.Route().Address, "a leader of another store was followed")
}

func TestStuckChanges(t *testing.T) {
	const limit = 20 * time.Second
	at := func(s int) time.Duration { return time.Duration(s) * time.Second }
	for name, test := range map[string]struct {
		do    func(m *changeMonitor)
		stuck bool // at 60 s
	}{
		"nothing asked":            {func(*changeMonitor) {}, false},
		"one waits since long":     {func(m *changeMonitor) { m.begin(at(30)) }, true},
		"one waits since now":      {func(m *changeMonitor) { m.begin(at(45)) }, false},
		"others are carried out":   {func(m *changeMonitor) { m.begin(at(1)); m.begin(at(50)); m.end(at(51), true) }, false},
		"all fail":                 {func(m *changeMonitor) { m.begin(at(30)); m.end(at(31), false); m.begin(at(55)); m.end(at(56), false) }, true},
		"one failed and one works": {func(m *changeMonitor) { m.begin(at(30)); m.end(at(31), false); m.begin(at(55)); m.end(at(56), true) }, false},
		"a new JVM":                {func(m *changeMonitor) { m.begin(at(30)); m.reset(at(59)) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			m := &changeMonitor{}
			test.do(m)
			err := m.stuck(at(60), limit)
			require.Equal(t, test.stuck, errors.Is(err, ErrStuck))
			require.NoError(t, m.stuck(at(61), limit), "judged again at once")
		})
	}
}

func TestRestoreThatIsOvertaken(t *testing.T) {
	for name, test := range map[string]struct {
		source  uint64 // of the keeper that was faster
		success bool
	}{"from the data of before": {1, false}, "from what was restored": {2, true}} {
		t.Run(name, func(t *testing.T) {
			s, dir := newDirStore(t)
			led.write(t, dir)
			var claimed atomic.Bool
			s.fs = &racing{s.fs, func() {
				if claimed.Swap(true) {
					return
				}
				late := newStore(dirFS(dir))
				require.NoError(t, late.claim(Claim{Epoch: 3, Holder: "b", Address: "b:1"}))
				require.NoError(t, os.MkdirAll(filepath.Join(dir, DataDir(3)), 0o750))
				require.NoError(t, late.complete(Manifest{Epoch: 3, Source: test.source, At: time.Now().UTC()}))
			}}
			_, err := s.restore(1)
			if test.success {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, ErrOvertaken)
			require.NoFileExists(t, filepath.Join(dir, completeName(2)), "it would come into effect at some later takeover")
			next, err := Restore(dir, 1)
			require.NoError(t, err)
			require.EqualValues(t, 4, next)
		})
	}
}

// racing is a store in which something happens when epoch 2 is complete.
type racing struct {
	FS
	then func()
}

func (r *racing) Link(old, name string) error {
	err := r.FS.Link(old, name)
	if name == completeName(2) {
		r.then()
	}
	return err
}

func TestRestoreSaysWhatIsLost(t *testing.T) {
	s, dir := newDirStore(t)
	led.with(files{
		"keeper/claims/0000000002":                    `{"epoch":2,"holder":"b","address":"b:1"}`,
		"keeper/beats/0000000002":                     "00000000000000000009 serving\n",
		"keeper/epochs/0000000002/complete":           `{"epoch":2,"source":1,"files":[],"reason":"the leader released its epoch"}`,
		"keeper/epochs/0000000002/data/" + journal(1): "posts and more",
	}).write(t, dir)
	before := read(t, dir)
	loss, err := Loses(dir, 1)
	require.NoError(t, err)
	require.Equal(t, before, read(t, dir))
	require.Contains(t, loss.String(), "the site loses what was posted in epoch 2")
	require.Contains(t, loss.String(), "14 bytes now")
	require.Contains(t, loss.String(), "keeper restore --store DIR 2")
	_, err = Restore(dir, 1)
	require.NoError(t, err)
	points, err := RestorePoints(dir)
	require.NoError(t, err)
	require.Equal(t, "restore of epoch 1", points[0].Reason)
	require.EqualValues(t, 2, points[1].Epoch, "the state before stays a restore point")
	seen, err := s.sight(3)
	require.NoError(t, err)
	require.True(t, seen.released)
	_, err = Loses(dir, 9)
	require.ErrorContains(t, err, "no restore point")
}
