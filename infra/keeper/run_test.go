package keeper

import (
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// running is a keeper that runs until the test ends.
type running struct {
	*Keeper
	env   *testEnvironment
	stop  chan struct{}
	done  chan struct{}
	ended chan struct{}
}

func runKeeper(t *testing.T, dir, address string, reach map[string]Reach) *running {
	t.Helper()
	k, w := newTestKeeper(dirFS(dir))
	k.address, w.reach = address, reach
	r := &running{k, w, make(chan struct{}), make(chan struct{}), make(chan struct{})}
	go func() {
		k.Run(r.stop, r.done)
		close(r.ended)
	}()
	t.Cleanup(func() {
		if !closed(r.stop) {
			close(r.stop)
		}
		if !closed(r.done) {
			close(r.done)
		}
		<-r.ended
	})
	return r
}

func (r *running) leads() bool { return r.Route().Self }

func TestRunHandsOver(t *testing.T) {
	dir := t.TempDir()
	reach := map[string]Reach{"a:1": Leading}
	a := runKeeper(t, dir, "a:1", reach)
	require.Eventually(t, a.leads, 30*time.Second, time.Millisecond)
	b := runKeeper(t, dir, "b:1", reach)
	require.Eventually(t, func() bool { return b.Route().Address == "a:1" }, 30*time.Second, time.Millisecond)
	require.Eventually(t, func() bool { return b.status().Healthy }, 30*time.Second, time.Millisecond)

	close(a.stop)
	require.Eventually(t, b.leads, 30*time.Second, time.Millisecond)
	require.Eventually(t, func() bool { return a.Route().Address == "b:1" }, 30*time.Second, time.Millisecond,
		"a keeper that stops forwards what it still holds")
	require.True(t, a.env.jvms[0].stopped, "the JVM takes its snapshot only when it is asked to stop")
	require.Equal(t, `{"clean":true}`+"\n", read(t, dir)[releasedName(1)])
}

func TestRunBeginsANewEpochWhenTheJVMEnds(t *testing.T) {
	dir := t.TempDir()
	a := runKeeper(t, dir, "a:1", nil)
	require.Eventually(t, a.leads, 30*time.Second, time.Millisecond)
	first := a.Route().Epoch
	a.env.jvms[0].Kill()
	require.Eventually(t, func() bool { r := a.Route(); return r.Self && r.Epoch == first+1 }, 30*time.Second, time.Millisecond)
}

func TestRunGivesWayToANewerClaim(t *testing.T) {
	dir := t.TempDir()
	a := runKeeper(t, dir, "a:1", nil)
	require.Eventually(t, a.leads, 30*time.Second, time.Millisecond)
	require.NoError(t, newStore(dirFS(dir)).claim(Claim{Epoch: 2, Holder: "b", Address: "b:1"}))
	require.Eventually(t, func() bool { return closed(a.env.jvms[0].Exited()) }, 30*time.Second, time.Millisecond)
	require.False(t, a.env.jvms[0].stopped, "a snapshot of a dead epoch is of no use")
	require.Eventually(t, func() bool { return a.Route().Epoch == 3 && a.leads() }, 30*time.Second, time.Millisecond,
		"the new leader never heartbeats, so this one takes over again")
}

// A JVM that is busy answering others keeps the keeper's own questions waiting; it is not dead.
func TestRunSparesABusyJVM(t *testing.T) {
	a := runKeeper(t, t.TempDir(), "a:1", nil)
	require.Eventually(t, a.leads, 30*time.Second, time.Millisecond)
	a.heard.Store(int64(a.env.Now() + time.Hour))
	a.env.silent.Store(int64(time.Hour))
	require.Never(t, func() bool { return a.Route().Epoch > 1 }, 100*time.Millisecond, time.Millisecond)
	a.heard.Store(int64(-time.Hour))
	require.Eventually(t, func() bool { return a.Route().Epoch > 1 }, 30*time.Second, time.Millisecond)
}

func TestVacant(t *testing.T) {
	for name, test := range map[string]struct {
		seen  sighting
		reach Reach
		want  string
	}{
		"nobody yet":              {sighting{}, NoAnswer, "nobody has led yet"},
		"own, ended":              {sighting{claim: Claim{Epoch: 1, Holder: "me"}}, NoAnswer, "this keeper's epoch has ended"},
		"released":                {sighting{claim: Claim{Epoch: 1, Holder: "a", Address: "a:1"}, released: true}, Leading, "released"},
		"heartbeats":              {sighting{claim: Claim{Epoch: 1, Holder: "a", Address: "a:1"}}, Refused, ""},
		"missed one":              {sighting{claim: Claim{Epoch: 1, Holder: "a", Address: "a:1"}, since: -time.Second}, NoAnswer, ""},
		"missed one, closed":      {sighting{claim: Claim{Epoch: 1, Holder: "a", Address: "a:1"}, since: -time.Second}, Refused, "port is closed"},
		"missed one, same host":   {sighting{claim: Claim{Epoch: 1, Holder: "a", Address: "self:1"}, since: -time.Second}, NoAnswer, "at this address is gone"},
		"alive on the same host":  {sighting{claim: Claim{Epoch: 1, Holder: "a", Address: "self:1"}}, NoAnswer, ""},
		"silent":                  {sighting{claim: Claim{Epoch: 1, Holder: "a", Address: "a:1"}, since: -3 * time.Second}, Leading, "has not beaten for 3s"},
		"restore, not over":       {sighting{claim: Claim{Epoch: 1, Holder: "a"}, since: -time.Second}, Refused, ""},
		"restore, never released": {sighting{claim: Claim{Epoch: 1, Holder: "a"}, since: -3 * time.Second}, Refused, "has not beaten"},
	} {
		t.Run(name, func(t *testing.T) {
			w := &frozenEnvironment{reach: test.reach}
			k := newKeeper(DefaultTiming, "me", "self:1", nil, w, nil)
			k.seen = test.seen
			if test.want == "" {
				require.Empty(t, k.vacant())
			} else {
				require.Contains(t, k.vacant(), test.want)
			}
		})
	}
}

// frozenEnvironment is a computer whose clock stands still.
type frozenEnvironment struct {
	Environment
	now   time.Duration
	reach Reach
}

// newFrozenKeeper has looked at a store that another keeper leads, once.
func newFrozenKeeper(t *testing.T) (*Keeper, *frozenEnvironment) {
	t.Helper()
	dir := t.TempDir()
	led.write(t, dir)
	k, _ := newTestKeeper(dirFS(dir))
	w := &frozenEnvironment{now: time.Hour}
	k.env, k.timing = w, DefaultTiming
	require.True(t, k.look())
	return k, w
}

func (w *frozenEnvironment) Now() time.Duration         { return w.now }
func (w *frozenEnvironment) Probe(string, string) Reach { return w.reach }

// A keeper that slept must not take its own sleep for its leader's.
func TestSleepIsNotSilence(t *testing.T) {
	k, w := newFrozenKeeper(t)
	require.Empty(t, k.vacant())
	w.now += time.Hour
	require.True(t, k.look())
	require.Empty(t, k.vacant(), "it slept for an hour")
	for range 6 {
		w.now += k.timing.Poll
		require.True(t, k.look())
	}
	require.Contains(t, k.vacant(), "has not beaten for 3s")
}

// Heartbeats that came late once may do so again: a takeover would make whatever slows them down worse.
func TestSlowHeartbeatsAreWaitedFor(t *testing.T) {
	k, w := newFrozenKeeper(t)
	watch := func(long time.Duration) {
		for until := w.now + long; w.now < until; {
			w.now += k.timing.Poll
			require.True(t, k.look())
		}
	}
	watch(2 * time.Second)
	k.seen.heartbeat = "before" // it has changed since
	watch(k.timing.Poll)
	watch(4 * time.Second)
	require.Empty(t, k.vacant(), "2.5 s passed between two heartbeats, so twice that is waited for the next")
	watch(time.Second)
	require.Contains(t, k.vacant(), "has not beaten for 5s")

	k.seen.slow = time.Hour
	require.Equal(t, 10*time.Second, k.patience(), "but not for ever")
	k.seen.slowAt = w.now - slowMemory
	watch(k.timing.Poll)
	require.Equal(t, k.timing.ElectionTimeout, k.patience(), "nor is it remembered for ever")
}

func TestSourceIsComplete(t *testing.T) {
	var embedded, there []string
	require.NoError(t, fs.WalkDir(Source, ".", func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			embedded = append(embedded, name)
		}
		return err
	}))
	for _, pattern := range []string{"*.go", "cmd/keeper/*.go", "http1/*.go"} {
		names, err := filepath.Glob(pattern)
		require.NoError(t, err)
		there = append(there, slices.DeleteFunc(names, func(n string) bool { return strings.HasSuffix(path.Base(n), "_test.go") })...)
	}
	require.ElementsMatch(t, there, embedded, "source.go has to name every file that is not a test")
}
