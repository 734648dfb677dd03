package keeper

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// dialSite opens a connection that gives up after a while.
func dialSite(t *testing.T, s *site) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", s.server.address())
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
	return conn
}

// speak sends bytes and returns all that comes until the connection ends.
func speak(t *testing.T, s *site, message string) string {
	t.Helper()
	conn := dialSite(t, s)
	_, err := io.WriteString(conn, message)
	require.NoError(t, err)
	answer, err := io.ReadAll(conn)
	require.NoError(t, err)
	return string(answer)
}

// echo answers with what it was asked.
func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	fmt.Fprintf(w, "%s %s %s %s %d", r.Method, r.RequestURI, r.Host, body, r.ContentLength)
}

func TestRequestsAsTheyAreSent(t *testing.T) {
	s := newSite(t, echo)
	const close = "Host: a\r\nConnection: close\r\n"
	for name, test := range map[string]struct{ message, begins, ends string }{
		"get":  {"GET /x?y HTTP/1.1\r\n" + close + "\r\n", "HTTP/1.1 200 OK\r\n", "\r\n\r\nGET /x?y a  0"},
		"head": {"HEAD / HTTP/1.1\r\n" + close + "\r\n", "HTTP/1.1 200 OK\r\n", "Connection: close\r\n\r\n"},
		"post": {"POST / HTTP/1.1\r\n" + close + "Content-Length: 3\r\n\r\nabc", "HTTP/1.1 200 OK\r\n",
			"POST / a abc 3"},
		"empty post": {"POST / HTTP/1.1\r\n" + close + "Content-Length: 0\r\n\r\n", "HTTP/1.1 200 OK\r\n",
			"POST / a  0"},
		"chunks": {"POST / HTTP/1.1\r\n" + close + "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n2;x\r\nbc\r\n" +
			"0\r\nA: b\r\n\r\n", "HTTP/1.1 200 OK\r\n", "POST / a abc 3"},
		"expectation": {"POST / HTTP/1.1\r\n" + close + "Expect: 100-continue\r\nContent-Length: 0\r\n\r\n",
			"HTTP/1.1 200 OK\r\n", "POST / a  0"},
		"1.0":      {"GET / HTTP/1.0\r\nHost: a\r\n\r\n", "HTTP/1.1 200 OK\r\n", "GET / a  0"},
		"absolute": {"GET http://b/c HTTP/1.1\r\n" + close + "\r\n", "HTTP/1.1 200 OK\r\n", "GET /c b  0"},
		"two in a row": {"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\n" + close + "\r\n",
			"HTTP/1.1 200 OK\r\n", "GET /2 a  0"},
		"post and get": {"POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n" +
			"abcGET /2 HTTP/1.1\r\n" + close + "\r\n", "HTTP/1.1 200 OK\r\n", "GET /2 a  0"},
		"chunks and get": {"POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" +
			"GET /2 HTTP/1.1\r\n" + close + "\r\n", "HTTP/1.1 200 OK\r\n", "GET /2 a  0"},
		"bad chunk": {"POST / HTTP/1.1\r\n" + close + "Transfer-Encoding: chunked\r\n\r\nx\r\n",
			"HTTP/1.1 400 Bad Request\r\n", "malformed\n"},
		"large": {"POST / HTTP/1.1\r\n" + close + "Content-Length: 131073\r\n\r\n", "HTTP/1.1 413 ", "takes\n"},
		"large, in chunks": {"POST / HTTP/1.1\r\n" + close + "Transfer-Encoding: chunked\r\n\r\n" +
			"20001\r\n" + strings.Repeat("a", 131073), "HTTP/1.1 413 ", "takes\n"},
		"long target": {"GET /" + strings.Repeat("a", 9000) + " HTTP/1.1\r\n" + close + "\r\n", "HTTP/1.1 414 ",
			"8 KiB\n"},
		"large head":  {"GET / HTTP/1.1\r\nA: " + strings.Repeat("a", 21000), "HTTP/1.1 431 ", "20 KiB\n"},
		"lenient hex": {"GET /?a%6= HTTP/1.1\r\n" + close + "\r\n", "HTTP/1.1 400 ", "digits\n"},
		"length and chunks": {"POST / HTTP/1.1\r\n" + close + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n" +
			"0\r\n\r\n", "HTTP/1.1 400 ", "number\n"},
		"no HTTP": {"\x16\x03\x01\x02\x00\x01\r\n\r\n", "HTTP/1.1 400 ", "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			answer := speak(t, s, test.message)
			require.True(t, strings.HasPrefix(answer, test.begins), "%q", answer)
			require.True(t, strings.HasSuffix(answer, test.ends), "%q", answer)
		})
	}
	require.Zero(t, s.keeper.inFlight.Load())
	require.Zero(t, s.proxy.kept.Load())
}

// ApacheBench and others keep connections of HTTP/1.0.
func TestAnOldClientKeepsItsConnection(t *testing.T) {
	s := newSite(t, echo)
	conn := dialSite(t, s)
	reader := bufio.NewReader(conn)
	for range 3 {
		_, err := io.WriteString(conn, "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\nHost: a\r\n\r\n")
		require.NoError(t, err)
		resp, err := http.ReadResponse(reader, nil)
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.Equal(t, "GET / a  0", string(body))
		require.Equal(t, "keep-alive", resp.Header.Get("Connection"))
	}
}

func TestAClientThatAsksBeforeItSendsItsBody(t *testing.T) {
	s := newSite(t, echo)
	conn := dialSite(t, s)
	_, err := io.WriteString(
		conn,
		"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n",
	)
	require.NoError(t, err)
	reader := bufio.NewReader(conn)
	line, err := reader.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "HTTP/1.1 100 Continue\r\n", line)
	_, err = io.WriteString(conn, "abc")
	require.NoError(t, err)
	rest, err := io.ReadAll(reader)
	require.NoError(t, err)
	require.Contains(t, string(rest), "POST / a abc 3")
}

// rawJVM answers every request with the same bytes, and then closes the connection if asked to.
func rawJVM(t *testing.T, s *site, answer string, closes bool) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	s.proxy.backend = listener.Addr().String()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				reader := bufio.NewReader(conn)
				for {
					if _, err := http.ReadRequest(reader); err != nil {
						return
					}
					if _, err := io.WriteString(conn, answer); err != nil || closes {
						return
					}
				}
			}()
		}
	}()
}

func TestAnswersAsTheyCome(t *testing.T) {
	for name, test := range map[string]struct {
		answer string
		closes bool
		old    bool // the client speaks HTTP/1.0
		want   string
		cut    bool
	}{
		"length": {answer: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", want: "\r\n" +
			"Content-Length: 3\r\nConnection: close\r\n\r\nabc"},
		"more than its length": {answer: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP", want: "\r\n\r\nabc"},
		"no reason":            {answer: "HTTP/1.1 299\r\nContent-Length: 0\r\n\r\n", want: "HTTP/1.1 299 \r\n"},
		"chunks": {answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\n" +
			"A: b\r\n\r\n", want: "\r\n\r\n3\r\nabc\r\n0\r\n\r\n"},
		"chunks for an old client": {answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
			old: true, want: "\r\n\r\nabc"},
		"until it closes": {answer: "HTTP/1.0 200 OK\r\n\r\nabc", closes: true, want: "\r\n\r\n3\r\nabc\r\n" +
			"0\r\n\r\n"},
		"interim ones": {answer: "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
			want: "HTTP/1.1 200 OK\r\n"},
		"another protocol": {answer: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
			want: "HTTP/1.1 502 Bad Gateway\r\n"},
		"no HTTP":     {answer: "hello\r\n\r\n", want: "HTTP/1.1 502 Bad Gateway\r\n"},
		"half a body": {answer: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na", closes: true, cut: true},
		"half a chunk": {answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na", closes: true,
			cut: true},
		"half a chunk, old client": {answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na", closes: true,
			old: true, cut: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, nil)
			rawJVM(t, s, test.answer, test.closes)
			conn := dialSite(t, s)
			message := "GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
			if test.old {
				message = "GET /x HTTP/1.0\r\n\r\n"
			}
			_, err := io.WriteString(conn, message)
			require.NoError(t, err)
			answer, err := io.ReadAll(conn)
			if test.cut {
				require.Error(t, err, "only a reset tells every client that there is more: %q", answer)
			} else {
				require.NoError(t, err)
				require.Contains(t, string(answer), test.want)
				require.Equal(t, 1, strings.Count(string(answer), "HTTP/1.1 "), "one answer to one request: %q", answer)
			}
			require.Eventually(t, func() bool { return s.keeper.inFlight.Load() == 0 }, time.Second, time.Millisecond,
				"an orderly stop would wait for it")
		})
	}
}

// What a visitor says in Keeper-* fields is neither heeded nor passed on; a request that is meant for another keeper,
// perhaps of another site that had this address, is not carried out.
func TestVisitorsAreNoKeepers(t *testing.T) {
	var got http.Header
	leader := newSite(t, func(_ http.ResponseWriter, r *http.Request) { got = r.Header })
	s := newStandby(t, leader)
	for _, header := range []string{forwardedHeader, probeHeader, epochHeader, refusedHeader} {
		resp, _ := s.do(t, http.MethodPost, "/Post.action", "title=x", header, "1")
		require.Equal(t, http.StatusOK, resp.StatusCode, "a standby forwards what a visitor sends")
		resp, _ = leader.do(t, http.MethodPost, "/Post.action", "title=x", header, "1")
		require.Equal(t, http.StatusOK, resp.StatusCode)
		require.Empty(t, got.Get(header))
		require.Empty(t, resp.Header.Get(epochHeader))
	}
	got = nil
	for _, header := range []string{forwardedHeader, probeHeader} {
		resp, _ := leader.do(t, http.MethodPost, "/Post.action", "title=x", header, newID())
		require.Equal(t, http.StatusMisdirectedRequest, resp.StatusCode)
		require.Equal(t, unsent, resp.Header.Get(refusedHeader))
	}
	require.Nil(t, got)
	require.Zero(
		t,
		leader.keeper.metrics.unsent.Load()+leader.keeper.metrics.inDoubt.Load(),
		"what a visitor can cause is not counted",
	)

	// The address of the leader has passed to a keeper of another process, or of another site.
	s.keeper.setRoute(Route{Epoch: 1, Address: leader.server.address(), Holder: newID()})
	resp, _ := s.do(t, http.MethodPost, "/Post.action", "title=x")
	refused(t, resp, unsent)
	require.Nil(t, got)
}

func TestAnswerOfAnOlderEpochDoesNotCount(t *testing.T) {
	leader := newSite(t, func(http.ResponseWriter, *http.Request) {})
	s := newStandby(t, leader)
	s.keeper.setRoute(Route{Epoch: 2, Address: leader.server.address(), Holder: leader.keeper.id})
	resp, _ := s.do(t, http.MethodPost, "/Post.action", "title=x")
	refused(t, resp, inDoubt)
}

func TestRepeatable(t *testing.T) {
	s := newSite(t, nil)
	for target, want := range map[string]bool{
		"/": true, "/Read.action": true, "/;jsessionid=node0abc.node0": true, "/Read.action;jsessionid=1": true,
		"/Empty.action": false, "/;x=1/Empty.action": false, "/Empty.action/": false, "/Empty": false,
		"/Read.action?a": false, "/?": false,
		"/;jsessionid=1/Empty.action": false, "/;jsessionid=1;x": false, "/;jsessionid=%2fEmpty.action": false,
		"/%52ead.action": false,
		"//":             false, "/Read.action/": false, "/Read.actionx": false, "/./": false,
	} {
		for method, safe := range map[string]bool{"GET": true, "HEAD": true, "OPTIONS": true, "POST": false, "get": false,
			"PUT": false} {
			var c client
			require.Nil(t, c.request.Parse([]byte(method+" "+target+" HTTP/1.1\r\nHost: a\r\n\r\n")))
			require.Equal(t, want && safe, s.proxy.repeatable(&c.request), "%s %s", method, target)
		}
	}
}

// Bodies that wait have a bound together; whoever comes then is told to come again.
func TestBodiesHaveABound(t *testing.T) {
	s := newSite(t, echo)
	s.proxy.kept.Store(s.proxy.keepLimit)
	resp, _ := s.do(t, http.MethodPost, "/", "a")
	refused(t, resp, unsent)
	s.proxy.kept.Store(0)
	resp, _ = s.do(t, http.MethodPost, "/", "a")
	require.Equal(t, http.StatusOK, resp.StatusCode)
}

func TestAClientThatIsGone(t *testing.T) {
	asked, hang := make(chan struct{}), make(chan struct{})
	s := newSite(t, func(http.ResponseWriter, *http.Request) { close(asked); <-hang })
	defer close(hang)
	conn := dialSite(t, s)
	_, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
	require.NoError(t, err)
	<-asked
	conn.Close()
	require.Eventually(t, func() bool { return s.keeper.inFlight.Load() == 0 }, 5*time.Second, time.Millisecond)
}

func TestShutdown(t *testing.T) {
	begun, goOn := make(chan struct{}), make(chan struct{})
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(begun)
			<-goOn
		}
	})
	quiet := dialSite(t, s)
	reader := bufio.NewReader(quiet)
	_, err := io.WriteString(quiet, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	require.NoError(t, err)
	_, err = http.ReadResponse(reader, nil)
	require.NoError(t, err)
	answer := make(chan string, 1)
	go func() { answer <- speak(t, s, "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n") }()
	<-begun
	ended := make(chan error, 1)
	go func() { ended <- s.server.shutdown(context.Background()) }()
	_, err = reader.ReadByte()
	require.ErrorIs(t, err, io.EOF, "an idle connection is closed at once")
	_, err = net.Dial("tcp", s.server.address())
	require.Error(t, err, "no new ones")
	select {
	case <-ended:
		t.Fatal("a request is still worked on")
	default:
	}
	close(goOn)
	require.Contains(t, <-answer, "HTTP/1.1 200 OK\r\n")
	require.NoError(t, <-ended)
}

func TestShutdownDoesNotWaitForEver(t *testing.T) {
	begun, hang := make(chan struct{}), make(chan struct{})
	s := newSite(t, func(http.ResponseWriter, *http.Request) { close(begun); <-hang })
	defer close(hang)
	conn := dialSite(t, s)
	_, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	require.NoError(t, err)
	<-begun
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, s.server.shutdown(ctx), context.DeadlineExceeded)
}

// What was released is no answer until its end is, and the end waits for a look at the store of its own.
func TestTheEndOfAStreamWaitsForTheFence(t *testing.T) {
	for path, whole := range map[string]bool{"/Post.action": false, "/": true} {
		t.Run(path, func(t *testing.T) {
			goOn := make(chan struct{})
			s := newSite(t, func(w http.ResponseWriter, _ *http.Request) {
				fmt.Fprint(w, "first")
				w.(http.Flusher).Flush()
				<-goOn
				fmt.Fprint(w, "last")
			})
			resp, err := http.Get(s.server.URL + path)
			require.NoError(t, err)
			defer resp.Body.Close()
			first := make([]byte, 5)
			_, err = io.ReadFull(resp.Body, first)
			require.NoError(t, err)
			require.NoError(t, s.store.claim(Claim{Epoch: 2, Holder: "next"}))
			close(goOn)
			_, err = io.ReadAll(resp.Body)
			require.Equal(t, whole, err == nil, "only what changes nothing may end after its epoch")
		})
	}
}
