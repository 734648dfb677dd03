package http1

import (
	"bufio"
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRequestHeads(t *testing.T) {
	const host = "Host: a\r\n"
	for name, test := range map[string]struct {
		head string
		want *Error // nil: taken
	}{
		"plain":                        {"GET / HTTP/1.1\r\n" + host, nil},
		"without a host, 1.0":          {"GET / HTTP/1.0\r\n", nil},
		"absolute":                     {"GET http://b/x HTTP/1.1\r\n" + host, nil},
		"percent":                      {"GET /%20?a=%C3%9f HTTP/1.1\r\n" + host, nil},
		"of the server":                {"OPTIONS * HTTP/1.1\r\n" + host, nil},
		"value with bytes above 127":   {"GET / HTTP/1.1\r\n" + host + "A: \xc3\x9f\r\n", nil},
		"lenient hexadecimal digits":   {"GET /?a%6= HTTP/1.1\r\n" + host, errPercent},
		"percent at the end":           {"GET /?a%6 HTTP/1.1\r\n" + host, errPercent},
		"percent, control":             {"GET /%\x106 HTTP/1.1\r\n" + host, errPercent},
		"byte above 127 in the target": {"GET /\xc3 HTTP/1.1\r\n" + host, errTarget},
		"longest target":               {"GET /" + strings.Repeat("a", 8191) + " HTTP/1.1\r\n" + host, nil},
		"long target":                  {"GET /" + strings.Repeat("a", 8192) + " HTTP/1.1\r\n" + host, errLong},
		"fragment":                     {"GET /#a HTTP/1.1\r\n" + host, errTarget},
		"relative":                     {"GET a HTTP/1.1\r\n" + host, errTarget},
		"star":                         {"GET * HTTP/1.1\r\n" + host, errTarget},
		"absolute without a path":      {"GET http://b HTTP/1.1\r\n" + host, errTarget},
		"another scheme":               {"GET ftp://b/ HTTP/1.1\r\n" + host, errTarget},
		"absolute with a user":         {"GET http://u@b/ HTTP/1.1\r\n" + host, errHost},
		"tunnel":                       {"CONNECT a:1 HTTP/1.1\r\n" + host, errConnect},
		"trace":                        {"TRACE / HTTP/1.1\r\n" + host, errConnect},
		"two spaces":                   {"GET  / HTTP/1.1\r\n" + host, errTarget},
		"tab":                          {"GET\t/ HTTP/1.1\r\n" + host, errStart},
		"no version":                   {"GET /\r\n" + host, errStart},
		"version 2":                    {"GET / HTTP/2.0\r\n" + host, errVersion},
		"lower-case version":           {"GET / http/1.1\r\n" + host, errStart},
		"bad method":                   {"G(T / HTTP/1.1\r\n" + host, errMethod},
		"no host":                      {"GET / HTTP/1.1\r\n", errHost},
		"two hosts":                    {"GET / HTTP/1.1\r\n" + host + host, errHost},
		"bad host":                     {"GET / HTTP/1.1\r\nHost: a/b\r\n", errHost},
		"two names in host":            {"GET / HTTP/1.1\r\nHost: a, b\r\n", errHost},
		"bare LF":                      {"GET / HTTP/1.1\n" + host, errLine},
		"bare LF later":                {"GET / HTTP/1.1\r\nA: b\n" + host, errLine},
		"bare CR":                      {"GET / HTTP/1.1\r\nA: b\rc\r\n" + host, errValue},
		"NUL":                          {"GET / HTTP/1.1\r\nA: \x00\r\n" + host, errValue},
		"folded":                       {"GET / HTTP/1.1\r\nA: b\r\n c\r\n" + host, errName},
		"space before the colon":       {"GET / HTTP/1.1\r\nHost : a\r\n", errName},
		"no colon":                     {"GET / HTTP/1.1\r\nHost\r\n" + host, errName},
		"no name":                      {"GET / HTTP/1.1\r\n: a\r\n" + host, errName},
		"name with a byte above 127":   {"GET / HTTP/1.1\r\nH\xf6st: a\r\n" + host, errName},
		"many fields":                  {"GET / HTTP/1.1\r\n" + host + strings.Repeat("A: b\r\n", 100), errFields},
		"length":                       {"POST / HTTP/1.1\r\n" + host + "Content-Length: 3\r\n", nil},
		"signed length":                {"POST / HTTP/1.1\r\n" + host + "Content-Length: +3\r\n", errLength},
		"two lengths in one":           {"POST / HTTP/1.1\r\n" + host + "Content-Length: 3, 3\r\n", errLength},
		"two equal lengths": {"POST / HTTP/1.1\r\n" + host + "Content-Length: 3\r\nContent-Length: 3\r\n",
			errLength},
		"length and chunks": {"POST / HTTP/1.1\r\n" + host + "Content-Length: 3\r\n" +
			"Transfer-Encoding: chunked\r\n", errLength},
		"huge length":        {"POST / HTTP/1.1\r\n" + host + "Content-Length: 9999999999999999\r\n", errLength},
		"chunks":             {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: Chunked\r\n", nil},
		"chunks, 1.0":        {"POST / HTTP/1.0\r\n" + host + "Transfer-Encoding: chunked\r\n", errCodingOld},
		"gzip":               {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip, chunked\r\n", errCoding},
		"chunks with a tail": {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\x0b\r\n", errValue},
		"chunks twice": {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n" +
			"Transfer-Encoding: chunked\r\n", errCoding},
		"expectation":         {"POST / HTTP/1.1\r\n" + host + "Expect: 100-Continue\r\n", nil},
		"another expectation": {"POST / HTTP/1.1\r\n" + host + "Expect: coffee\r\n", errExpect},
	} {
		t.Run(name, func(t *testing.T) {
			var r Request
			err := r.Parse([]byte(test.head + "\r\n"))
			require.Same(t, test.want, err)
		})
	}
}

func TestWhatARequestSays(t *testing.T) {
	var r Request
	require.Nil(
		t,
		r.Parse([]byte("POST http://b:1/x?y HTTP/1.1\r\nHost: a\r\nConnection: close, X-Hop, X-Forwarded-For\r\n"+
			"X-Hop: 1\r\nX-Forwarded-For:  c \r\nKeeper-Any: 1\r\nUpgrade: h2c\r\nTransfer-Encoding: chunked\r\n\r\n")),
	)
	require.Equal(t, "POST /x?y b:1", string(r.Method)+" "+string(r.Target)+" "+string(r.Host))
	require.EqualValues(t, Chunked, r.Length)
	require.True(t, r.Close)
	kinds := map[string]Kind{}
	for _, f := range r.Fields {
		kinds[string(f.Name)+"="+string(f.Value)] = f.Kind
	}
	require.Equal(
		t,
		map[string]Kind{"Host=a": Host, "Connection=close, X-Hop, X-Forwarded-For": Connection, "X-Hop=1": Hop,
			"X-Forwarded-For=c": ForwardedFor, "Keeper-Any=1": Cluster, "Upgrade=h2c": Hop, "Transfer-Encoding=chunked": Coding},
		kinds,
	)

	for head, closes := range map[string]bool{
		"GET / HTTP/1.0\r\n\r\n":                                     true,
		"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n":           false,
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n":                          false,
		"GET / HTTP/1.1\r\nHost: a\r\nConnection: a , CLOSE\r\n\r\n": true,
	} {
		require.Nil(t, r.Parse([]byte(head)))
		require.Equal(t, closes, r.Close, head)
	}
}

// A client cannot have taken away what an edge proxy says about it.
func TestConnectionOptionsSpareWhatTheEdgeSays(t *testing.T) {
	var r Request
	require.Nil(t, r.Parse([]byte("GET / HTTP/1.1\r\nHost: a\r\nConnection: x-forwarded-port, forwarded, x-hop\r\n"+
		"X-Forwarded-Port: 80\r\nForwarded: for=b\r\nX-Hop: 1\r\n\r\n")))
	require.Equal(t, []Kind{Host, Connection, Plain, Plain, Hop},
		[]Kind{r.Fields[0].Kind, r.Fields[1].Kind, r.Fields[2].Kind, r.Fields[3].Kind, r.Fields[4].Kind})
}

func BenchmarkParse(b *testing.B) {
	head := []byte(
		"GET /Read.action HTTP/1.1\r\nHost: example.org\r\n" +
			"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0\r\n" +
			"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nAccept-Language: en-US,en;q=0.5\r\n" +
			"Accept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\nCookie: JSESSIONID=node01.node0\r\n" +
			"X-Forwarded-For: 192.0.2.1\r\n\r\n",
	)
	var r Request
	b.ReportAllocs()
	for b.Loop() {
		if err := r.Parse(head); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzRequest compares with Go's own parser: what is taken here has to be taken there, with the same meaning.
func FuzzRequest(f *testing.F) {
	for _, head := range []string{
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "POST /x?y=%20 HTTP/1.0\r\nContent-Length: 3\r\n\r\n",
		"GET http://b/c HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: x\r\n\r\n", "GET //a/../b;c HTTP/1.1\r\n" +
			"hOST:a\r\nA:\t\r\n\r\n",
	} {
		f.Add([]byte(head))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		end := bytes.Index(data, []byte("\r\n\r\n"))
		if end < 0 {
			return
		}
		head := data[:end+4]
		var ours Request
		if ours.Parse(head) != nil {
			return
		}
		theirs, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(head)))
		if err != nil {
			// Go refuses hosts and paths for reasons of their own form; no other reading of the message follows from that.
			for _, known := range []string{"malformed Host header", "parse ", "invalid URI", "bad trailer key",
				"malformed MIME header"} {
				if strings.Contains(err.Error(), known) {
					return
				}
			}
			t.Fatalf("Go refuses %q: %v", head, err)
		}
		require.Equal(t, theirs.Method, string(ours.Method))
		require.Equal(t, theirs.ContentLength, ours.Length, "%q", head)
		require.Equal(t, theirs.Host, string(ours.Host), "%q", head)
		require.Equal(t, theirs.ProtoMinor, ours.Minor)
		if ours.Target[0] == '/' && theirs.URL.Host == "" {
			require.Equal(t, theirs.RequestURI, string(ours.Target))
		}
		if ours.Minor == 1 && theirs.Close {
			require.True(t, ours.Close, "%q", head)
		}
		for _, field := range ours.Fields {
			if field.Kind == Plain {
				require.Contains(t, theirs.Header.Values(string(field.Name)), string(field.Value), "%q", head)
			}
		}
	})
}
