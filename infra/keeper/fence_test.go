package keeper

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func newTestFence(look func() error) *fence {
	return &fence{env: &testEnvironment{began: time.Now()}, look: look}
}

func TestFencePassesWhatTheLookSays(t *testing.T) {
	broken := errors.New("broken")
	for name, want := range map[string]error{"current": nil, "deposed": ErrDeposed, "failing": broken} {
		t.Run(name, func(t *testing.T) {
			require.ErrorIs(t, newTestFence(func() error { return want }).pass(), want)
		})
	}
}

// A look that has begun may have seen the store before the answer was there: whoever comes then waits for the next.
func TestFenceLooksAnewForWhoComesLater(t *testing.T) {
	looks, begun, goOn := atomic.Int64{}, make(chan struct{}), make(chan struct{})
	f := newTestFence(func() error {
		if looks.Add(1) == 1 {
			close(begun)
			<-goOn
			return nil
		}
		return ErrDeposed
	})
	first := make(chan error)
	go func() { first <- f.pass() }()
	<-begun
	const more = 20
	later := make(chan error, more)
	for range more {
		go func() { later <- f.pass() }()
	}
	require.Eventually(t, func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.next != nil
	}, time.Second, time.Millisecond)
	close(goOn)
	require.NoError(t, <-first)
	for range more {
		require.ErrorIs(t, <-later, ErrDeposed)
	}
	require.LessOrEqual(t, looks.Load(), int64(more+1))
}

func TestFenceStaysShutWhileTheStoreHangs(t *testing.T) {
	looks, hang := atomic.Int64{}, make(chan struct{})
	f := newTestFence(func() error {
		looks.Add(1)
		<-hang
		return nil
	})
	results := make(chan error, 50)
	for range cap(results) {
		go func() { results <- f.pass() }()
	}
	for range cap(results) {
		require.ErrorIs(t, <-results, errFenceTimeout)
	}
	require.EqualValues(t, 1, looks.Load(), "each request holds a thread")
	over := make(chan struct{})
	f.shut(func() { close(over) })
	f.shut(func() { t.Error("it is shut already") })
	require.False(t, closed(over), "a look goes on")
	close(hang)
	<-over
	require.ErrorIs(t, f.pass(), ErrDeposed)
}

// Only the epoch in which the JVM was asked counts, not the one that is led when its answer is there.
func TestFenceJudgesByTheEpochOfTheRequest(t *testing.T) {
	k, _ := newTestKeeper(dirFS(t.TempDir()))
	require.ErrorIs(t, k.MayAnswer(3), ErrDeposed, "it leads no epoch")
	led := &term{Keeper: k, epoch: 4}
	led.fence = *newTestFence(func() error { return nil })
	k.term.Store(led)
	require.NoError(t, k.MayAnswer(4))
	require.ErrorIs(t, k.MayAnswer(3), ErrDeposed)
}

// Whoever waits while another looks himself gets the next look, from a goroutine, and with a bound.
func TestFenceLooksAtOnce(t *testing.T) {
	looks, begun, goOn := atomic.Int64{}, make(chan struct{}), make(chan struct{})
	f := newTestFence(func() error {
		switch looks.Add(1) {
		case 1:
			return nil
		case 2:
			close(begun)
			<-goOn
			return nil
		}
		return ErrDeposed
	})
	require.NoError(t, f.passAtOnce())
	first, second, over := make(chan error, 1), make(chan error, 1), make(chan struct{})
	go func() { first <- f.passAtOnce() }()
	<-begun
	go func() { second <- f.passAtOnce() }()
	require.Eventually(t, func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.next != nil
	}, time.Second, time.Millisecond)
	f.shut(func() { close(over) })
	f.shut(func() { t.Error("it is shut already") })
	require.False(t, closed(over), "a look goes on")
	require.ErrorIs(t, f.passAtOnce(), ErrDeposed)
	close(goOn)
	require.NoError(t, <-first)
	require.ErrorIs(t, <-second, ErrDeposed, "the look that had begun may have seen the store before")
	<-over
	f.shut(func() { t.Error("it is shut already") })
	require.EqualValues(t, 3, looks.Load())
}

// countingEnvironment counts the goroutines that are begun.
type countingEnvironment struct {
	*testEnvironment
	begun atomic.Int64
}

func (e *countingEnvironment) Go(run func()) {
	e.begun.Add(1)
	e.testEnvironment.Go(run)
}

// A store that is slow, or hangs, is looked at by a goroutine for all who wait.
func TestFenceLeavesSlowLooksToOthers(t *testing.T) {
	f := newTestFence(func() error { return nil })
	env := &countingEnvironment{testEnvironment: &testEnvironment{began: time.Now()}}
	f.env = env
	require.NoError(t, f.passAtOnce())
	require.Zero(t, env.begun.Load(), "a quick look is made by who waits for it")
	f.took = 2 * quickLook
	require.NoError(t, f.passAtOnce())
	require.EqualValues(t, 1, env.begun.Load())
}
