package keeper

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// testEnvironment is a computer whose JVM answers at once, on real time.
type testEnvironment struct {
	began time.Time
	reach map[string]Reach
	jvms  []*testJVM

	rehearsals [][]part
	refusals   []error // of the next rehearsals

	silent atomic.Int64 // how long JVMs have not answered
}

func (w *testEnvironment) Now() time.Duration { return time.Since(w.began) }

func (w *testEnvironment) Go(run func()) { go run() }

func (w *testEnvironment) Wait(d time.Duration, wake ...<-chan struct{}) {
	(&computer{}).Wait(d, wake...)
}

func (w *testEnvironment) Probe(address, _ string) Reach { return w.reach[address] }

func (w *testEnvironment) Start(epoch uint64) (JVM, error) {
	j := &testJVM{env: w, epoch: epoch, exited: make(chan struct{})}
	w.jvms = append(w.jvms, j)
	return j, nil
}

func (w *testEnvironment) Rehearse(parts []part, _ <-chan struct{}) (Rehearsal, error) {
	w.rehearsals = append(w.rehearsals, parts)
	if len(w.refusals) == 0 {
		return Rehearsal{}, nil
	}
	err := w.refusals[0]
	w.refusals = w.refusals[1:]
	return Rehearsal{}, err
}

type testJVM struct {
	env     *testEnvironment
	epoch   uint64
	once    sync.Once
	exited  chan struct{}
	stopped bool
}

func (j *testJVM) Exited() <-chan struct{} { return j.exited }
func (j *testJVM) Ready() bool             { return true }
func (j *testJVM) Silent() time.Duration   { return time.Duration(j.env.silent.Load()) }
func (j *testJVM) Stop()                   { j.stopped = true; j.Kill() }
func (j *testJVM) Kill()                   { j.once.Do(func() { close(j.exited) }) }

// leadNow makes k the leader of an epoch that it has claimed, with a directory and without a JVM.
func leadNow(t *testing.T, k *Keeper, epoch uint64) *term {
	t.Helper()
	for _, dir := range []string{numbered(epochsDir, epoch), DataDir(epoch)} {
		require.NoError(t, k.store.fs.Mkdir(dir))
	}
	led := k.newTerm(epoch, nil)
	led.state.Store(serving)
	require.NoError(t, k.MayAnswer(epoch))
	k.setRoute(Route{Epoch: epoch, Self: true})
	t.Cleanup(led.end)
	return led
}

func newTestKeeper(files FS) (*Keeper, *testEnvironment) {
	w := &testEnvironment{began: time.Now().Add(-time.Minute)}
	t := Timing{Poll: 5 * time.Millisecond, Heartbeat: 5 * time.Millisecond, ElectionTimeout: 200 * time.Millisecond,
		Start: time.Second, Hang: time.Second, Stuck: time.Second, Drain: time.Second, Stop: time.Second}
	return newKeeper(t, newID(), "self:1", files, w, slog.New(slog.DiscardHandler)), w
}
