package images_test

import (
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twip/infra/images"
	"twip/tests/artifact"
)

// TestWhoGetsInFindsLittle runs code inside the JVM on purpose, as somebody would who found a way, and sees what it cannot
// do.
func TestWhoGetsInFindsLittle(t *testing.T) {
	artifacts := t.TempDir()
	artifact.Pack(t, os.DirFS("testdata/intruder"), filepath.Join(artifacts, "companyNews.war"))
	image, err := build(images.App, images.Options{Artifacts: artifacts, Out: t.TempDir()})
	require.NoError(t, err)
	s := &site{network: newNetwork(t), store: newStore(t), sockets: newSockets(t)}
	app := startApp(t, image, s)
	attempt := func(what string) string {
		response, err := http.Get("http://" + app.address(t) + ":8080/Read.jsp?what=" + url.QueryEscape(what))
		require.NoError(t, err)
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, response.StatusCode, string(body))
		return strings.TrimSpace(string(body))
	}
	awaitAnswer(t, app, "8080")
	require.Equal(t, "here", attempt(""))
	for what, want := range map[string]string{
		"shell": "refused", "java": "refused", "keeper": "refused", "loader": "refused", "own": "refused",
		"library": "failed to map segment", "webapp": "Read-only file system", "etc": "Read-only file system",
		"keeper's memory": "Permission denied", "keeper's environment": "Permission denied",
		"connect": "not permitted", "metadata": "not permitted", "channel": "not permitted", "datagram": "not permitted",
		"unix": "not permitted", "end the keeper": "false",
	} {
		got := attempt(what)
		require.Contains(t, got, want, what)
		if want != "false" {
			require.Contains(t, got, "refused", what)
		}
	}
	programs := strings.Split(strings.Trim(attempt("programs"), "[]"), ", ")
	require.Len(t, programs, 2, "%v", programs)
	require.Equal(t, "/usr/local/bin/keeper", programs[1])
	require.Regexp(t, `^/usr/lib/jvm/.*/bin/java$`, programs[0])
	require.NotContains(t, app.logs(t), "not confined")
}

// TestTheAppsHealthCheckNeedsNoShell runs it by a command line, as machines do, in an image without a shell.
func TestTheAppsHealthCheckNeedsNoShell(t *testing.T) {
	app := run(t, images.App, built[images.App], newNetwork(t), "-v", newStore(t)+":/store",
		"--health-cmd", "/usr/local/bin/keeper health --live", "--health-interval", "1s", "--health-timeout", "2s",
		"--health-retries", "2")
	await := func(health string) {
		t.Helper()
		require.Eventually(t, func() bool {
			return mustDocker(t, "inspect", "-f", "{{.State.Health.Status}}", app.id) == health
		}, time.Minute, 100*time.Millisecond, "not %s", health)
	}
	await("healthy")
	mustDocker(t, "kill", "--signal", "STOP", app.id)
	await("unhealthy")
	mustDocker(t, "kill", "--signal", "CONT", app.id)
	await("healthy")
	_, err := docker("exec", app.id, "/bin/sh", "-c", "/usr/bin/java -version")
	require.ErrorContains(t, err, "this is no shell")
}
