package keeper

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A proxy on the same machine comes by a socket; what it says about the visitor reaches the application.
func TestRequestsComeBySockets(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.URL.Path+" for "+r.Header.Get("X-Forwarded-For")) // the test reads it
	})
	dir := t.TempDir()
	listeners, err := listen("127.0.0.1:0", dir, SiteSocket)
	require.NoError(t, err)
	server := newServer(s.proxy, listeners...)
	ended := make(chan error, len(listeners))
	for _, l := range listeners {
		go func() { ended <- server.serve(l) }()
	}
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(dir, SiteSocket))
	}}}
	for _, visitor := range []string{"192.0.2.1", ""} {
		request, err := http.NewRequest(http.MethodGet, "http://site/Read.action", nil)
		require.NoError(t, err)
		if visitor != "" {
			request.Header.Set("X-Forwarded-For", visitor)
		}
		answer, err := client.Do(request)
		require.NoError(t, err)
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, "/Read.action for "+visitor, string(body), "a socket's other end has no address to name")
	}
	client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	require.NoError(t, server.shutdown(ctx))
	for range listeners {
		require.NoError(t, <-ended)
	}
	require.NoFileExists(t, filepath.Join(dir, SiteSocket), "who comes now is refused at once, and tries another server")
}

func TestSocketsThatAKeeperLeftBehindAreTaken(t *testing.T) {
	path := filepath.Join(t.TempDir(), SiteSocket)
	left, err := net.Listen("unix", path)
	require.NoError(t, err)
	left.(*net.UnixListener).SetUnlinkOnClose(false) // as after a kill
	require.NoError(t, left.Close())
	l, err := listenUnix(path)
	require.NoError(t, err)
	require.NoError(t, l.Close())

	require.NoError(t, os.WriteFile(path, []byte("precious"), 0o600))
	_, err = listenUnix(path)
	require.ErrorContains(t, err, "is no socket, and is left alone")
	require.FileExists(t, path)

	_, err = listen("127.0.0.1:0", filepath.Join(t.TempDir(), "absent"), SiteSocket)
	require.ErrorContains(t, err, "--sockets")
	require.ErrorContains(t, err, "give a directory that exists")
}
