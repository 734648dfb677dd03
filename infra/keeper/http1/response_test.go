package http1

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

func TestResponses(t *testing.T) {
	for head, want := range map[string]struct {
		length int64
		close  bool
	}{
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n":                      {3, false},
		"HTTP/1.1 200\r\nContent-Length: 3\r\n":                         {3, false},
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n":             {Chunked, false},
		"HTTP/1.1 200 OK\r\n":                                           {UntilClose, true},
		"HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n":            {0, false},
		"HTTP/1.1 204 No Content\r\n":                                   {0, false},
		"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n":                      {0, false},
		"HTTP/1.1 302 \r\nContent-Length: 0\r\n":                        {0, false},
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n": {0, true},
		"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n":                      {3, true},
	} {
		var r Response
		require.Nil(t, r.Parse([]byte(head+"\r\n"), false), head)
		require.Equal(t, want.length, r.Length, head)
		require.Equal(t, want.close, r.Close, head)
		require.Nil(t, r.Parse([]byte(head+"\r\n"), true), head)
		require.Zero(t, r.Length, "an answer to HEAD has no body: %q", head)
	}
	for _, head := range []string{
		"HTTP/2 200 OK\r\n", "HTTP/1.1  200 OK\r\n", "HTTP/1.1 20 OK\r\n", "HTTP/1.1 2000 OK\r\n", "HTTP/1.1 099 OK\r\n",
		"HTTP/1.1 200 O\x00\r\n", "220 smtp\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n" +
			"Transfer-Encoding: chunked\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n",
		"HTTP/1.1 200 OK\nA: b\r\n",
	} {
		var r Response
		require.NotNil(t, r.Parse([]byte(head+"\r\n"), false), head)
	}
}

func FuzzResponse(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"), false)
	f.Add([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"), true)
	f.Fuzz(func(t *testing.T, data []byte, head bool) {
		end := bytes.Index(data, []byte("\r\n\r\n"))
		var ours Response
		if end < 0 || ours.Parse(data[:end+4], head) != nil || ours.Status < 200 {
			return
		}
		request := &http.Request{Method: http.MethodGet}
		if head {
			request.Method = http.MethodHead
		}
		theirs, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(data[:end+4])), request)
		if err != nil {
			require.True(
				t,
				strings.Contains(err.Error(), "bad trailer key") || strings.Contains(err.Error(), "malformed MIME header"),
				"%q: %v",
				data,
				err,
			)
			return
		}
		require.Equal(t, theirs.StatusCode, ours.Status)
		if !head && ours.Length >= 0 && ours.Status != 204 && ours.Status != 304 {
			require.Equal(t, theirs.ContentLength, ours.Length, "%q", data)
		}
	})
}

func TestReader(t *testing.T) {
	const head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
	r := NewReader(iotest.OneByteReader(strings.NewReader(head+"body"+head)), 8)
	next := func() string {
		for {
			got, refused := r.Head()
			require.Nil(t, refused)
			if got != nil {
				return string(got)
			}
			require.NoError(t, r.Fill())
		}
	}
	require.Equal(t, head, next())
	for len(r.Buffered()) < 4 {
		require.NoError(t, r.Fill())
	}
	require.Equal(t, "body", string(r.Buffered()))
	r.Take(4)
	require.Equal(t, head, next())
	require.ErrorIs(t, r.Fill(), io.EOF)

	for begin, want := range map[string]*Error{
		"GET / HTTP/1.1\nHost":                      errLine,
		"\r\nGET / HTTP/1.1\r\n":                    errLine,
		"\nGET":                                     errLine,
		"GET / HTTP/1.1\r\nA: b\nC":                 errLine,
		"GET / HTTP/1.1\r\nHost: a\r":               nil,
		strings.Repeat("x", HeadLimit):              errLarge,
		strings.Repeat("x", HeadLimit) + "\r\n\r\n": errLarge,
	} {
		r := NewReader(strings.NewReader(begin), 2*HeadLimit)
		require.NoError(t, r.Fill())
		got, refused := r.Head()
		require.Nil(t, got)
		require.Same(t, want, refused, "%.40q", begin)
	}
}
