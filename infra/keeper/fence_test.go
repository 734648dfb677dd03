package keeper

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestFence(t *testing.T) {
	broken := errors.New("broken")
	for name, test := range map[string]struct {
		epoch uint64
		err   error
		want  error
	}{
		"current": {epoch: 3},
		"deposed": {err: ErrDeposed, want: ErrDeposed},
		"another": {epoch: 4, want: ErrDeposed},
		"failing": {err: broken, want: broken},
	} {
		t.Run(name, func(t *testing.T) {
			g := fence{check: func() (uint64, error) { return test.epoch, test.err }}
			require.ErrorIs(t, g.pass(t.Context(), 3), test.want)
		})
	}
}

// A look that has begun may have seen the store before the answer was there: whoever comes then waits for the next.
func TestFenceLooksAnewForWhoComesLater(t *testing.T) {
	looks, begun, goOn := atomic.Int64{}, make(chan struct{}), make(chan struct{})
	g := fence{check: func() (uint64, error) {
		if looks.Add(1) == 1 {
			close(begun)
			<-goOn
			return 1, nil
		}
		return 0, ErrDeposed
	}}
	first := make(chan error)
	go func() { first <- g.pass(context.Background(), 1) }()
	<-begun
	const more = 20
	later := make(chan error, more)
	for range more {
		go func() { later <- g.pass(context.Background(), 1) }()
	}
	require.Eventually(t, func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		return g.next != nil
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
	defer close(hang)
	g := fence{check: func() (uint64, error) {
		looks.Add(1)
		<-hang
		return 1, nil
	}}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	for range 50 {
		require.Error(t, g.pass(ctx, 1))
	}
	require.EqualValues(t, 1, looks.Load(), "each request holds a thread")
}
