package ops

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAwait(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) < 4 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	env := Environment{Stack: "train", URL: server.URL}
	require.NoError(t, Await(t.Context(), env, time.Minute, time.Millisecond))
	require.EqualValues(t, 4, asked.Load())

	asked.Store(-1 << 30)
	require.ErrorContains(t, Await(t.Context(), env, 50*time.Millisecond, time.Millisecond), "did not answer 200 within 50ms")
}
