package http1

import (
	"bytes"
	"io"
	"net/http/httputil"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// dechunk takes a body apart that comes in pieces of the given size.
func dechunk(body []byte, size int) (data []byte, rest int, done bool, err *Error) {
	var c Chunks
	for at := 0; at < len(body); {
		piece, taken, err := c.Next(body[at:min(len(body), at+size)])
		if err != nil {
			return data, len(body) - at, false, err
		}
		data = append(data, piece...)
		if at += taken; c.Done() {
			return data, len(body) - at, true, nil
		}
	}
	return data, 0, false, nil
}

func TestChunks(t *testing.T) {
	for body, want := range map[string]string{
		"3\r\nabc\r\n0\r\n\r\n":                        "abc",
		"3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n": "abc0123456789",
		"0\r\nA: b\r\nC:d\r\n\r\n":                     "",
		"000\r\n\r\n":                                  "",
	} {
		for size := 1; size <= len(body); size++ {
			data, rest, done, err := dechunk([]byte(body+"GET"), size)
			require.Nil(t, err, body)
			require.True(t, done, body)
			require.Equal(t, want, string(data))
			require.Equal(t, 3, rest, "the next message stays")
		}
	}
	for _, body := range []string{
		"3\nabc\r\n0\r\n\r\n", "3\r\nabc0\r\n\r\n", "3\r\nabcd\r\n0\r\n\r\n", "\r\n", "-1\r\n", "0x3\r\nabc\r\n",
		"3 \r\nabc\r\n", " 3\r\nabc\r\n",
		"3\r\rabc\r\n", "3;\x00\r\n", "1234567890123\r\n", "0\r\n A: b\r\n\r\n", "0\r\nA\n\r\n", "0\r\n\rx",
		"3;" + strings.Repeat("x", 5000),
	} {
		_, _, done, err := dechunk([]byte(body), len(body))
		require.NotNil(t, err, body)
		require.False(t, done)
	}
}

// FuzzChunks compares with Go's own reader: what is taken here is taken there, with the same data.
func FuzzChunks(f *testing.F) {
	f.Add([]byte("3\r\nabc\r\n0\r\n\r\n"), 2)
	f.Add([]byte("3;a=b\r\nabc\r\n0\r\nX: y\r\n\r\n"), 100)
	f.Fuzz(func(t *testing.T, body []byte, size int) {
		if size < 1 {
			return
		}
		data, _, done, err := dechunk(body, size)
		whole, _, wholeDone, wholeErr := dechunk(body, len(body)+1)
		require.Equal(t, wholeDone, done, "pieces change nothing")
		require.Equal(t, wholeErr, err)
		if !done {
			return
		}
		require.Equal(t, whole, data)
		theirs, problem := io.ReadAll(httputil.NewChunkedReader(bytes.NewReader(body)))
		if problem != nil && strings.Contains(problem.Error(), "excessive data") {
			return // Go bounds what extensions cost
		}
		require.NoError(t, problem, "%q", body)
		require.Equal(t, string(theirs), string(data))
	})
}
