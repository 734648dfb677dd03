package images_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twip/infra/boot"
	"twip/infra/images"
	"twip/infra/keeper"
)

func TestTheSiteServesWhatVisitorsAndOperatorsNeed(t *testing.T) {
	s := newSite(t, built[images.App])

	t.Run("pages", func(t *testing.T) {
		header, page := s.get(t, "/")
		require.Contains(t, page, `action="Post.action"`)
		require.Equal(t, "nosniff", header.Get("X-Content-Type-Options"))
		require.Empty(t, header.Get("Server"))
		require.Empty(t, header.Get("X-Powered-By"))
	})
	t.Run("a post is read back, escaped, with its session", func(t *testing.T) {
		response, err := s.do("POST", "/Post.action", form, "title=%3Cb%3E+Gr%C3%B6%C3%9Fe&body=5+%25")
		require.NoError(t, err)
		response.Body.Close()
		require.Equal(t, http.StatusFound, response.StatusCode)
		require.Equal(t, s.url+"/Read.action", response.Header.Get("Location"), "the visitor's own host, from X-Forwarded-Host")
		require.Contains(t, response.Header.Get("Set-Cookie"), "JSESSIONID=")
		require.Contains(t, response.Header.Get("Set-Cookie"), "HttpOnly")
		_, page := s.get(t, "/Read.action")
		require.Contains(t, page, "<h2>&lt;b&gt; Größe</h2>")
		require.Contains(t, page, "Your last post: &lt;b&gt; Größe")
	})
	t.Run("an article needs a title", func(t *testing.T) {
		require.Equal(t, http.StatusBadRequest, s.status("POST", "/Post.action", form, "title=+&body=x"))
	})
	t.Run("static files", func(t *testing.T) {
		header, _ := s.get(t, "/images/logo.svg")
		require.Equal(t, "image/svg+xml", header.Get("Content-Type"))
		header, _ = s.get(t, "/styles/site.css")
		require.Equal(t, "public, max-age=604800, s-maxage=60, stale-while-revalidate=60", header.Get("Cache-Control"))
		require.Empty(t, header.Get("Last-Modified"))
		etag := header.Get("ETag")
		require.NotEmpty(t, etag)
		require.Equal(t, http.StatusNotModified, s.status("GET", "/styles/site.css", http.Header{"If-None-Match": {etag}}, ""))
		header, _ = s.get(t, "/styles/site.css?v=42")
		require.Contains(t, header.Get("Cache-Control"), "immutable")
		response, err := s.do("GET", "/styles/site.css", http.Header{"Accept-Encoding": {"gzip"}}, "")
		require.NoError(t, err)
		response.Body.Close()
		require.Equal(t, "gzip", response.Header.Get("Content-Encoding"))
		require.Equal(t, http.StatusNotFound, s.status("GET", "/styles/none.css", nil, ""))
		require.Equal(t, http.StatusForbidden, s.status("POST", "/styles/site.css", form, "a=b"))
		require.Contains(t, s.static.logs(t), `"GET /styles/site.css HTTP/1.1" 200`, "nginx served it")
	})
	t.Run("limits", func(t *testing.T) {
		fits := "title=x&body=" + strings.Repeat("a", 128<<10-len("title=x&body="))
		require.Equal(t, http.StatusFound, s.status("POST", "/Post.action", form, fits))
		require.Equal(t, http.StatusRequestEntityTooLarge, s.status("POST", "/Post.action", form, fits+"a"))
		require.Equal(t, http.StatusRequestHeaderFieldsTooLarge, s.status("GET", "/", http.Header{"X-Long": {strings.Repeat("a", 17<<10)}}, ""))
		require.Equal(t, http.StatusMethodNotAllowed, s.status("TRACE", "/", nil, ""))
	})
	t.Run("ambiguous framing", func(t *testing.T) {
		for name, test := range map[string]struct {
			head string
			want int
		}{
			"chunked":                  {"POST /Post.action HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411},
			"length and chunked":       {"POST /Post.action HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411},
			"two lengths":              {"POST /Post.action HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc", 400},
			"two hosts":                {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
			"space before the colon":   {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400},
			"HTTP/2 without agreement": {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
		} {
			require.Equal(t, test.want, raw(t, s, test.head), name)
		}
	})
	t.Run("a slow client is sent away", func(t *testing.T) {
		require.Equal(t, http.StatusRequestTimeout, raw(t, s, "POST /Post.action HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc"))
	})
	t.Run("health checks", func(t *testing.T) {
		s.static.exec(t, "/usr/local/bin/healthcheck")
		s.proxy.exec(t, "/usr/local/bin/healthcheck")
		s.app.exec(t, "/usr/local/bin/keeper", "health")
		_, err := docker("exec", s.proxy.id, "bash", "-c", "sed s/1936/1937/ /usr/local/bin/healthcheck | bash")
		require.Error(t, err, "the check must be able to fail")
	})
	t.Run("stats", func(t *testing.T) {
		for path, want := range map[string]string{"/": "app-1", "/metrics": `haproxy_backend_active_servers{proxy="app"} 1`} {
			response, err := http.Get(s.stats + path)
			require.NoError(t, err)
			var page strings.Builder
			_, err = bufio.NewReader(response.Body).WriteTo(&page)
			require.NoError(t, err)
			response.Body.Close()
			require.Equal(t, http.StatusOK, response.StatusCode)
			require.Contains(t, page.String(), want)
		}
	})
	t.Run("Jetty is reached through the keeper only", func(t *testing.T) {
		_, err := net.DialTimeout("tcp", s.app.address(t)+":8081", time.Second)
		require.Error(t, err)
	})
	t.Run("the application is in the class data archive", func(t *testing.T) {
		require.Contains(t, trainingReport(t, built[images.App]), "covers the web application")
		// A JVM runs on without a word when it cannot use an archive; one that it uses is mapped.
		maps, err := os.ReadFile("/proc/" + s.app.jvm(t) + "/maps")
		require.NoError(t, err)
		require.Contains(t, string(maps), "/srv/jetty/trained/classes.jsa")
	})
	report(t, s)
}

// raw sends bytes that no HTTP client would send and returns the answer's status.
func raw(t *testing.T, s *site, request string) int {
	t.Helper()
	connection, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	require.NoError(t, err)
	defer connection.Close()
	require.NoError(t, connection.SetDeadline(time.Now().Add(20*time.Second)))
	_, err = connection.Write([]byte(request))
	require.NoError(t, err)
	line, err := bufio.NewReader(connection).ReadString('\n')
	require.NoError(t, err)
	status, err := strconv.Atoi(strings.Fields(line)[1])
	require.NoError(t, err)
	return status
}

// report prints what the containers weigh. The limits are enforced by Docker; the figures are for people.
func report(t *testing.T, s *site) {
	t.Helper()
	for _, part := range []struct {
		kind images.Kind
		c    container
	}{{images.Static, s.static}, {images.App, s.app}, {images.Proxy, s.proxy}} {
		memory := mustDocker(t, "stats", "--no-stream", "--format", "{{.MemUsage}}", part.c.id)
		size := mustDocker(t, "image", "inspect", "-f", "{{.Size}}", built[part.kind])
		bytes, err := strconv.ParseFloat(size, 64)
		require.NoError(t, err)
		fmt.Printf("%-6s image %.0f MB, memory %s\n", part.kind, bytes/1e6, memory)
	}
}

// Pages of the release before may ask for files that only it had: they are answered as before, and ours go first.
func TestFilesOfTheReleaseBefore(t *testing.T) {
	before := t.TempDir()
	require.NoError(t, os.Chmod(before, 0o755))
	require.NoError(t, os.Mkdir(filepath.Join(before, "styles"), 0o755))
	for _, name := range []string{"old.css", "site.css"} {
		require.NoError(t, os.WriteFile(filepath.Join(before, "styles", name), []byte("before"), 0o644))
	}
	c := run(t, images.Static, built[images.Static], newNetwork(t), "-v", before+":"+boot.BeforeDir+":ro")
	s := &site{url: "http://" + c.address(t) + ":8080", client: &http.Client{Timeout: 10 * time.Second}}
	await(t, 30*time.Second, "the server's first 200", func() bool { return s.status("GET", "/healthz", nil, "") == http.StatusOK })

	header, text := s.get(t, "/styles/old.css")
	require.Equal(t, "before", text)
	require.Equal(t, "text/css", header.Get("Content-Type"))
	require.Contains(t, header.Get("Cache-Control"), "s-maxage=60")
	_, text = s.get(t, "/styles/site.css")
	require.NotEqual(t, "before", text)
	for _, path := range []string{"/before/styles/old.css", "/site/styles/site.css", "/styles/none.css", "/styles/"} {
		require.Contains(t, []int{403, 404}, s.status("GET", path, nil, ""), path)
	}
}

// An empty store where data were expected is refused, and stays empty.
func TestAnEmptyStoreIsRefusedWhereDataIsExpected(t *testing.T) {
	network, store := newNetwork(t), newStore(t)
	app := run(t, images.App, built[images.App], network, "-v", store+":/store", "-e", keeper.ExpectEnv+"="+keeper.Present)
	await(t, 30*time.Second, "the refusal", func() bool { return strings.Contains(app.logs(t), "it is empty, and one was expected") })
	require.NotContains(t, app.logs(t), `"msg":"claimed"`)
}
