package keeper

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The first answer of a JVM may take longer than one that hangs is given: it compiles the page, and reads the data.
func TestAFirstAnswerIsNoSilence(t *testing.T) {
	const long = time.Second
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != alivePath {
			time.Sleep(long) // the page's own time, which is what this is about
		}
	}))
	defer server.Close()
	o := DefaultOptions()
	o.Backend = server.Listener.Addr().String()
	j := &jvm{process: &process{exited: make(chan struct{})}, options: o, began: time.Now()}
	defer close(j.process.exited)
	go j.watch()
	require.Eventually(t, j.Ready, 30*time.Second, time.Millisecond)
	require.Less(t, j.Silent(), long)
}
