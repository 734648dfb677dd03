package keeper

import (
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// counting counts what costs a round trip on a network store: each name looked up, and each file opened, asked for its
// length, read, written, synced or closed is one. A mount may need another to be allowed to look a name up.
type counting struct {
	FS
	asked *Operations
}

func (c counting) add(reads, writes, metadata float64) {
	c.asked.Reads += reads
	c.asked.Writes += writes
	c.asked.Metadata += metadata
}

func (o Operations) trips() int { return int(math.Round(o.Reads + o.Writes + o.Metadata)) }

func (c counting) List(dir string) ([]Entry, error) { c.add(0, 0, 3); return c.FS.List(dir) }
func (c counting) Stat(name string) (Info, error)   { c.add(0, 0, 1); return c.FS.Stat(name) }
func (c counting) Read(name string) ([]byte, error) { c.add(1, 0, 2); return c.FS.Read(name) }
func (c counting) Create(name string, data []byte) error {
	c.add(0, 1, 3)
	return c.FS.Create(name, data)
}
func (c counting) Write(name string, data []byte) error {
	c.add(0, 1, 3)
	return c.FS.Write(name, data)
}
func (c counting) Link(old, name string) error { c.add(0, 0, 2); return c.FS.Link(old, name) }
func (c counting) Mkdir(dir string) error      { c.add(0, 0, 1); return c.FS.Mkdir(dir) }
func (c counting) Remove(name string) error    { c.add(0, 0, 1); return c.FS.Remove(name) }
func (c counting) Sync(name string) error      { c.add(0, 0, 3); return c.FS.Sync(name) }
func (c counting) Copy(from, name string, offset, limit int64) (int64, error) {
	c.add(1, 1, 4)
	return c.FS.Copy(from, name, offset, limit)
}
func (c counting) Hold(name string) (Held, error) {
	c.add(0, 0, 1)
	h, err := c.FS.Hold(name)
	return countingHeld{h, c}, err
}

type countingHeld struct {
	Held
	counting
}

func (c countingHeld) Stat() (Info, error)            { c.add(0, 0, 1); return c.Held.Stat() }
func (c countingHeld) Look(name string) (Info, error) { c.add(0, 0, 1); return c.Held.Look(name) }
func (c countingHeld) Overwrite(data []byte) error    { c.add(0, 1, 0); return c.Held.Overwrite(data) }
func (c countingHeld) Close() error                   { c.add(0, 0, 1); return c.Held.Close() }

// costs are round trips.
type costs struct {
	fence           Operations // while a journal grows
	leader, standby Operations // idle, in a second
	takeover        int        // from the claim to the start of the JVM, with 10,000 posts and 1,000 sessions
}

// idle is that of two servers, in a second.
func (c costs) idle() float64 {
	return c.leader.Reads + c.leader.Writes + c.leader.Metadata + c.standby.Reads + c.standby.Writes + c.standby.Metadata
}

func roundTrips(t testing.TB) (c costs) {
	dir, asked := t.TempDir(), Operations{}
	take := func() Operations { // what was asked since it was last taken
		o := asked
		asked = Operations{}
		return o
	}
	s := newStore(dirFS(dir))
	_, err := s.initialize("x", 1)
	require.NoError(t, err)
	k, _ := newTestKeeper(counting{s.fs, &asked})
	k.timing = DefaultTiming
	w := &frozenEnvironment{now: time.Hour, reach: Leading}
	k.env = w
	require.NoError(t, s.claim(Claim{Epoch: 1, Holder: k.id, Address: "a:1"}))
	require.NoError(t, os.MkdirAll(filepath.Join(dir, DataDir(1), "files*"), 0o750))
	file := filepath.Join(dir, DataDir(1), journal(1))
	require.NoError(t, os.WriteFile(file, []byte("posts"), 0o600))
	led := &term{Keeper: k, epoch: 1, journals: journals{store: k.store, root: DataDir(1)}}
	led.state.Store(serving)
	for range 5 { // until directories look the same for long
		w.now += time.Second
		require.NoError(t, led.look())
	}
	take()
	require.NoError(t, os.WriteFile(file, []byte("posts and more"), 0o600))
	require.NoError(t, led.look())
	c.fence = take()

	standby, _ := newTestKeeper(k.store.fs)
	standby.timing, standby.env = DefaultTiming, w
	require.True(t, standby.look())
	take()
	const seconds = 10
	a, b := Operations{}, Operations{}
	sum := func(into *Operations) {
		o := take()
		into.Reads, into.Writes, into.Metadata = into.Reads+o.Reads/seconds, into.Writes+o.Writes/seconds,
			into.Metadata+o.Metadata/seconds
	}
	for range seconds {
		for range int(time.Second / DefaultTiming.Poll) {
			require.True(t, standby.look())
			w.now += DefaultTiming.Poll
		}
		sum(&b)
		require.NoError(t, led.look())
		sum(&a)
	}
	c.leader, c.standby = a, b
	led.journals.close()
	led.tenure.end()

	posts := make([]byte, 10000*100)
	require.NoError(t, os.WriteFile(file, posts, 0o600))
	require.NoError(t, k.store.complete(Manifest{Epoch: 1, At: time.Now().UTC()}))
	sessionDir := filepath.Join(dir, DataDir(1), sessions)
	require.NoError(t, os.MkdirAll(sessionDir, 0o750))
	for n := range 1000 {
		require.NoError(t, os.WriteFile(filepath.Join(sessionDir, time.Unix(int64(n), 0).UTC().Format("150405")+"_x"), nil, 0o600))
	}
	take()
	// Time passes as on a store whose round trips take 3 ms.
	slow := hands{func() time.Duration { return time.Duration(asked.trips()) * 3 * time.Millisecond }, func(time.Duration) {}, nothing}
	require.NoError(t, k.store.inspect(2, "", nil))
	_, err = k.store.initialize(k.id, 2)
	require.NoError(t, err)
	require.NoError(t, k.store.claim(Claim{Epoch: 2, Holder: k.id, Address: "a:1"}))
	held, err := k.store.begin(2, k.id)
	require.NoError(t, err)
	defer held.end()
	src, err := k.store.source(2, nil)
	require.NoError(t, err)
	_, err = k.store.fill(2, src, "test", nil, slow)
	require.NoError(t, err)
	c.takeover = take().trips()
	return c
}

func TestRoundTrips(t *testing.T) {
	c := roundTrips(t)
	t.Logf("round trips: %+v", c)
	require.LessOrEqual(t, c.fence.trips(), 6)
	require.LessOrEqual(t, c.idle(), 15.0)
	require.Less(t, time.Duration(c.takeover)*3*time.Millisecond, 6*time.Second)
}

// What the list of costs reckons with is what a store is asked.
func TestMetered(t *testing.T) {
	c := roundTrips(t)
	for name, tc := range map[string]struct{ said, counted Operations }{
		"the leader, idle": {LeaderIdle, c.leader},
		"a standby, idle":  {StandbyIdle, c.standby},
		"a post's fence":   {FenceOfPost, c.fence},
	} {
		t.Run(name, func(t *testing.T) {
			require.InDelta(t, tc.counted.Reads, tc.said.Reads, 0.05)
			require.InDelta(t, tc.counted.Writes, tc.said.Writes, 0.05)
			require.InDelta(t, tc.counted.Metadata, tc.said.Metadata, 0.05)
		})
	}
}

// BenchmarkRoundTrips prints what the store is asked: go test ./infra/keeper -run '^$' -bench RoundTrips -benchtime 1x
func BenchmarkRoundTrips(b *testing.B) {
	for b.Loop() {
		c := roundTrips(b)
		b.ReportMetric(float64(c.fence.trips()), "trips/fence")
		b.ReportMetric(c.idle(), "trips/s-idle")
		b.ReportMetric(float64(c.takeover), "trips/takeover")
		b.ReportMetric(float64(c.takeover)*0.003, "s-takeover-at-3ms")
	}
}
