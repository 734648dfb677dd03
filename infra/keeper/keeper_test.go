package keeper

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// testWorld is a computer whose JVM answers at once, on real time.
type testWorld struct {
	began time.Time
	reach map[string]Reach
	jvms  []*testJVM

	silent atomic.Int64 // how long JVMs have not answered
}

func (w *testWorld) Now() time.Duration { return time.Since(w.began) }

func (w *testWorld) Wait(d time.Duration, wake ...<-chan struct{}) {
	(&computer{}).Wait(d, wake...)
}

func (w *testWorld) Probe(address, _ string) Reach { return w.reach[address] }

func (w *testWorld) Start(epoch uint64) (JVM, error) {
	j := &testJVM{world: w, epoch: epoch, exited: make(chan struct{})}
	w.jvms = append(w.jvms, j)
	return j, nil
}

type testJVM struct {
	world   *testWorld
	epoch   uint64
	once    sync.Once
	exited  chan struct{}
	stopped bool
}

func (j *testJVM) Exited() <-chan struct{} { return j.exited }
func (j *testJVM) Ready() bool             { return true }
func (j *testJVM) Silent() time.Duration   { return time.Duration(j.world.silent.Load()) }
func (j *testJVM) Stop()                   { j.stopped = true; j.Kill() }
func (j *testJVM) Kill()                   { j.once.Do(func() { close(j.exited) }) }

func newTestKeeper(files FS) (*Keeper, *testWorld) {
	w := &testWorld{began: time.Now().Add(-time.Minute)}
	t := Timing{Poll: 5 * time.Millisecond, Beat: 5 * time.Millisecond, Patience: 200 * time.Millisecond,
		Start: time.Second, Hang: time.Second, Drain: time.Second, Stop: time.Second}
	return newKeeper(t, newID(), "self:1", files, w, slog.New(slog.DiscardHandler)), w
}
