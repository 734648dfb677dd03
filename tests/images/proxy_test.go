package images_test

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twip/infra/images"
)

// appStandIn answers whatever the proxy lets through, and counts connections.
type appStandIn struct {
	mu          sync.Mutex
	connections int
	requests    []string
}

func (a *appStandIn) serve(connection net.Conn) {
	defer connection.Close()
	a.mu.Lock()
	a.connections++
	a.mu.Unlock()
	reader := bufio.NewReader(connection)
	for {
		request, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, request.Body)
		a.mu.Lock()
		a.requests = append(a.requests, request.Method+" "+request.RequestURI)
		a.mu.Unlock()
		if _, err := io.WriteString(connection, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"); err != nil {
			return
		}
	}
}

func (a *appStandIn) counts() (connections, requests int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.connections, len(a.requests)
}

// newProxy starts the proxy alone before a stand-in for the app server.
func newProxy(t *testing.T) (*site, *appStandIn) {
	t.Helper()
	network := newNetwork(t)
	host := mustDocker(t, "network", "inspect", "-f", "{{range .IPAM.Config}}{{.Gateway}}{{end}}", network)
	app := &appStandIn{}
	listen(t, host+":8082", (&appStandIn{}).serve) // healthy at all times
	listen(t, host+":18089", app.serve)
	s := &site{network: network}
	s.proxy = run(
		t,
		images.Proxy,
		built[images.Proxy],
		network,
		"-e",
		"STATIC_SERVERS=static:8080",
		"-e",
		"APP_SERVERS="+host+":18089",
	)
	address := s.proxy.address(t)
	s.url, s.stats = "http://"+address+":8080", "http://"+address+":1936"
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	s.client = &http.Client{Jar: jar, Timeout: time.Minute}
	await(
		t,
		20*time.Second,
		"the proxy's first 200",
		func() bool { return s.status("GET", "/", nil, "") == http.StatusOK },
	)
	return s, app
}

func TestTheProxyKeepsHTTPStrict(t *testing.T) {
	s, app := newProxy(t)
	kind := func(value string) http.Header { return http.Header{"Content-Type": {value}} }
	for name, test := range map[string]struct {
		method, path string
		header       http.Header
		body         string
		want         int
	}{
		"page":                          {"GET", "/", nil, "", 200},
		"text in a value":               {"GET", "/Read.action?q=%24%7Bx%23y%7D+me@java.net+you@com.example", nil, "", 200},
		"a time as a query":             {"GET", "/?12:30", nil, "", 200},
		"a sharp sign in a path":        {"GET", "/wiki/C%23", nil, "", 200},
		"a link copied from HTML":       {"GET", "/?a=1&amp;b=2", nil, "", 200},
		"a list":                        {"GET", "/?items%5B0%5D.price=1&a[]=2", nil, "", 200},
		"a name that ends like a class": {"GET", "/?subclass.name=1&klass.x=2&my_class[0]=3", nil, "", 200},
		"a form": {"POST", "/Post.action", form,
			"title=C%23+costs+5%25+more&body=redirect:+see+%233", 200},
		"a character set": {"POST", "/", kind("application/x-www-form-urlencoded; charset=GBK"), "a=1", 200},
		"parts": {"POST", "/", kind(`multipart/form-data; boundary="----a'()+_,-./:=? b"`), "x",
			200},
		"the longest path":                {"GET", "/" + strings.Repeat("a", 8191), nil, "", 200},
		"the largest body":                {"POST", "/", form, "a=" + strings.Repeat("b", 128<<10-2), 200},
		"percent across the buffer's end": {"POST", "/", form, "a=" + strings.Repeat("%41", 40000), 200},

		"digits that Jetty alone takes": {"GET", "/?a%6=x=1", nil, "", 400},
		"percent at the end":            {"GET", "/?a=%", nil, "", 400},
		"percent in a path":             {"GET", "/%zz", nil, "", 400},
		"percent in a form":             {"POST", "/", form, "a%6%3d=1", 400},
		"two kinds of a body": {"POST", "/", http.Header{"Content-Type": {"text/plain", "text/html"}}, "a",
			400},
		"a long path":                        {"GET", "/" + strings.Repeat("a", 8192), nil, "", 414},
		"a large body":                       {"POST", "/", form, "a=" + strings.Repeat("b", 128<<10-1), 413},
		"large headers":                      {"GET", "/", http.Header{"X-Long": {strings.Repeat("a", 17<<10)}}, "", 431},
		"an expression in the path":          {"GET", "/%24%7B1%7D/x.action", nil, "", 403},
		"an expression in the kind":          {"POST", "/", kind("%{#a}multipart/form-data"), "a", 403},
		"a way to a class":                   {"GET", "/?class.classLoader.x=1", nil, "", 403},
		"a way to a class, encoded":          {"GET", "/?a=1&x.class%5B%27classLoader%27%5D=1", nil, "", 403},
		"a redirect":                         {"GET", "/x.action?redirect:http://example.org", nil, "", 403},
		"a redirect, encoded":                {"GET", "/x.action?redirectAction%3Ax", nil, "", 403},
		"an expression in a name":            {"GET", "/?(%23a)(b)=1", nil, "", 403},
		"an escaped expression":              {"POST", "/", form, `a=1&('\u0023x')(b)=1`, 403},
		"a static member":                    {"POST", "/", form, "x[@java.lang.Runtime@getRuntime()]=1", 403},
		"a class after a long ordinary text": {"POST", "/", form, "a=" + strings.Repeat("word+", 2000) + "&class.x=1", 403},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.want, s.status(test.method, test.path, test.header, test.body))
		})
	}
	require.Equal(
		t,
		http.StatusBadRequest,
		raw(t, s, "GET /?a%\x11x=1 HTTP/1.1\r\nHost: a\r\n\r\n"),
		"Jetty takes control characters for digits",
	)
	app.mu.Lock()
	defer app.mu.Unlock()
	for _, request := range app.requests {
		require.NotRegexp(t, `classLoader|redirect|%6=|%zz|%23a`, request, "what was refused arrived")
	}
}

func TestConnectionsAreSharedByReadsOnly(t *testing.T) {
	s, app := newProxy(t)
	// A client per request, as a crowd of visitors would be.
	count := func(method, path, body string) (connections int) {
		before, _ := app.counts()
		for range 20 {
			one := *s
			one.client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
			require.Equal(t, http.StatusOK, one.status(method, path, form, body))
		}
		after, _ := app.counts()
		return after - before
	}
	for _, path := range []string{"/", "/Read.action", "/Read.action;jsessionid=node01.node0"} {
		require.LessOrEqual(t, count("GET", path, ""), 1, path)
	}
	for _, path := range []string{"/Post.action", "/?action:Post", "/Empty", "/;x=1/Empty.action", "/Read.action/",
		"/Read.action?a"} {
		require.Equal(t, 20, count("GET", path, ""), "%s may change data", path)
	}
	require.Equal(t, 20, count("POST", "/", "a=b"))
	require.Equal(t, 20, count("POST", "/Post.action", "a="+strings.Repeat("b", 20000)))
}

// cpu returns the processor time that the proxy has used so far.
func (c container) cpu(t *testing.T) time.Duration {
	t.Helper()
	pid := mustDocker(t, "inspect", "-f", "{{.State.Pid}}", c.id)
	data, err := os.ReadFile("/proc/" + pid + "/schedstat") // nanoseconds on a CPU, waiting, slices
	require.NoError(t, err)
	nanos, err := strconv.ParseInt(strings.Fields(string(data))[0], 10, 64)
	require.NoError(t, err)
	return time.Duration(nanos)
}

// mostWork is what a request of any size may cost the proxy.
const mostWork = 10 * time.Millisecond

// Long runs are what patterns that backtrack, and loops within loops, fail on: a single request of 12 KB once stopped
// the proxy. The pieces are those that the rules look for, repeated and mixed; the seed is in the failure.
func TestNoRequestIsMuchWork(t *testing.T) {
	s, _ := newProxy(t)
	pid := mustDocker(t, "inspect", "-f", "{{.State.Pid}}", s.proxy.id)
	pieces := []string{
		"${",
		"%7b",
		"%24%7b",
		"%5c",
		"%23",
		"%2523",
		"(",
		"%28",
		")",
		"@",
		"%40",
		"@a",
		"@a.b",
		"a@",
		"class",
		"class.",
		"clas",
		"c",
		"%5bclass",
		"xclass[",
		"&",
		"&a",
		"&(",
		"&(a",
		"=",
		"redirect",
		"&redirect:",
		"redirectaction",
		"Content-",
		"a",
		".",
		"[",
		"]",
		"'",
		"\\",
		"%25",
		"+",
		";",
		"%c3%a4",
	}
	type request struct{ what, method, path, body string }
	var requests []request
	add := func(what, run string) {
		fit := func(n int) string {
			text := strings.Repeat(run, n/len(run)+1)[:n]
			for range 2 { // no half of an escape at the end
				if at := strings.LastIndexByte(text, '%'); at > len(text)-3 {
					text = text[:at]
				}
			}
			return text
		}
		requests = append(
			requests,
			request{what + " in a path", "GET", "/" + fit(8000), ""},
			request{what + " in a query", "GET", "/?" + fit(8000), ""},
			request{
				what + " in a small form",
				"POST",
				"/",
				fit(17000),
			},
			request{what + " in a large form", "POST", "/", fit(128 << 10)},
		)
	}
	for _, piece := range pieces {
		add(piece, piece)
	}
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	for range 60 {
		var run strings.Builder
		for range 1 + random.IntN(5) {
			run.WriteString(strings.Repeat(pieces[random.IntN(len(pieces))], 1+random.IntN(3)))
		}
		add(run.String(), run.String())
	}
	var worst time.Duration
	var which string
	for _, r := range requests {
		work := time.Hour
		for range 3 { // the least of three: others use this computer too, and health checks are counted
			before := s.proxy.cpu(t)
			status := s.status(r.method, r.path, form, r.body)
			require.Contains(t, []int{200, 400, 403}, status, "%s (seed %d)", r.what, seed)
			work = min(work, s.proxy.cpu(t)-before)
		}
		require.LessOrEqual(t, work, mostWork, "%s (seed %d)", r.what, seed)
		if work > worst {
			worst, which = work, r.what
		}
	}
	fmt.Printf("proxy: %d requests, the most work was %s for %.60s\n", len(requests), worst.Round(time.Microsecond), which)
	for _, name := range []string{"A", "Cookie", "Content-Type", "Accept", "X-Forwarded-For", "Connection"} {
		for _, piece := range slices.Concat(pieces, []string{"a=b;", "a,", ", "}) {
			header := http.Header{name: {strings.Repeat(piece, 15000/len(piece))}}
			before := s.proxy.cpu(t)
			s.status("GET", "/", header, "")
			require.LessOrEqual(t, s.proxy.cpu(t)-before, mostWork, "%s in %s", piece, name)
		}
	}
	require.Equal(t, pid, mustDocker(t, "inspect", "-f", "{{.State.Pid}}", s.proxy.id), "the watchdog has ended the proxy")
}
