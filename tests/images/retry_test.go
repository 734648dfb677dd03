package images_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twip/infra/images"
)

// dyingServer stands in for an app server that takes requests and dies: it reads a request whole and closes the connection.
// After the given number of such deaths it answers 200.
type dyingServer struct {
	mu     sync.Mutex
	seen   map[string]int // by method and path
	deaths int
}

func (d *dyingServer) serve(connection net.Conn) {
	defer connection.Close()
	reader := bufio.NewReader(connection)
	request, err := http.ReadRequest(reader)
	if err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, request.Body)
	d.mu.Lock()
	key := request.Method + " " + request.RequestURI
	d.seen[key]++
	dies := d.seen[key] <= d.deaths
	d.mu.Unlock()
	if !dies {
		_, _ = io.WriteString(connection, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	}
}

func (d *dyingServer) count(key string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.seen[key]
}

func listen(t *testing.T, address string, serve func(net.Conn)) {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(connection)
		}
	}()
}

func TestOnlySafeRequestsAreSentTwice(t *testing.T) {
	network := newNetwork(t)
	host := mustDocker(t, "network", "inspect", "-f", "{{range .IPAM.Config}}{{.Gateway}}{{end}}", network)
	server := &dyingServer{seen: map[string]int{}, deaths: 1}
	listen(t, host+":8082", (&dyingServer{seen: map[string]int{}}).serve) // healthy at all times
	proxy := run(t, images.Proxy, built[images.Proxy], network,
		"-e", "STATIC_SERVERS=static:8080", "-e", "APP_SERVERS="+host+":18089")
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	s := &site{url: "http://" + proxy.address(t) + ":8080", stats: "http://" + proxy.address(t) + ":1936", client: &http.Client{Jar: jar, Timeout: time.Minute}}
	await(t, 20*time.Second, "the proxy to listen", func() bool { return s.status("TRACE", "/", nil, "") == http.StatusMethodNotAllowed })

	// Nobody listens yet: the connection is tried again, for a POST too, since nothing was sent.
	answer := make(chan int, 1)
	go func() { answer <- s.status("POST", "/Post.action", form, "title=first") }()
	await(t, 20*time.Second, "the first attempt", func() bool { return s.statistic(t, "BACKEND", "wretr") != "0" })
	listen(t, host+":18089", server.serve)
	require.Equal(t, http.StatusBadGateway, <-answer, "it reached the server, which died")
	require.Equal(t, 1, server.count("POST /Post.action"), "a POST that may have been carried out is never sent again")

	require.Equal(t, http.StatusOK, s.status("GET", "/Read.action", nil, ""))
	require.Equal(t, 2, server.count("GET /Read.action"), "a safe request is sent again")

	require.Equal(t, http.StatusBadGateway, s.status("GET", "/Post.action?title=x", nil, ""))
	require.Equal(t, 1, server.count("GET /Post.action?title=x"), "Struts takes parameters from a GET too")
}

func TestTheProxyRefusesServersItCannotUse(t *testing.T) {
	for _, c := range []struct{ app, want string }{
		{"", "APP_SERVERS is empty"},
		{"app-1", `"app-1", which is not host:port`},
		{"app-1:8080;global", `not host:port`},
	} {
		_, err := docker("run", "--rm", "--label", label, "--read-only", "--tmpfs", "/tmp", "-e", "STATIC_SERVERS=static:8080",
			"-e", "APP_SERVERS="+c.app, built[images.Proxy])
		require.ErrorContains(t, err, c.want)
	}
}
