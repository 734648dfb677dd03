package keeper

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
)

// body is a request's body for one or more attempts: kept if small, else streamed once.
type body struct {
	proxy  *proxy
	kept   []byte
	stream io.ReadCloser // nil if kept
	used   atomic.Bool
}

func (p *proxy) body(req *http.Request) (*body, error) {
	n := req.ContentLength
	if n == 0 || req.Body == nil {
		return &body{proxy: p}, nil
	}
	if n < 0 || n > bodyLimit || p.kept.Add(n) > p.keepLimit {
		if n > 0 && n <= bodyLimit {
			p.kept.Add(-n)
		}
		return &body{proxy: p, stream: req.Body}, nil
	}
	b := &body{proxy: p, kept: make([]byte, n)}
	if _, err := io.ReadFull(req.Body, b.kept); err != nil {
		b.release()
		return nil, err
	}
	return b, nil
}

func (b *body) release() { b.proxy.kept.Add(-int64(len(b.kept))) }

// spent says that the body cannot be sent again.
func (b *body) spent() bool { return b.stream != nil && b.used.Load() }

// Read marks a streamed body as used.
func (b *body) Read(data []byte) (int, error) {
	b.used.Store(true)
	return b.stream.Read(data)
}

// attempt is req to address, and whether it got a connection. net/http sends a request again by itself if it
// holds it for repeatable, by its method; a body that is not nil keeps it from that.
func (b *body) attempt(ctx context.Context, req *http.Request, address string, repeatable bool) (*http.Request, *atomic.Bool) {
	sent := new(atomic.Bool)
	out := req.Clone(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { sent.Store(true) },
	}))
	out.URL.Host = address
	switch {
	case repeatable:
		out.Body = nil
	case b.stream != nil:
		out.Body = io.NopCloser(b) // the server closes it
	default:
		out.Body = io.NopCloser(bytes.NewReader(b.kept))
	}
	return out, sent
}

// closing calls done once when it is closed.
type closing struct {
	io.ReadCloser
	done func()
}

func (c *closing) Close() error {
	if c.done != nil {
		c.done()
		c.done = nil
	}
	return c.ReadCloser.Close()
}

// fencedBody holds back the last bytes of an answer until the fence has passed once more, for applications that
// send the first bytes before they are done. Without the last ones the client knows the answer is incomplete.
type fencedBody struct {
	*bufio.Reader
	io.Closer
	pass func() error
}

func (g fencedBody) Read(data []byte) (int, error) {
	n, err := g.Reader.Read(data)
	if err == nil {
		_, err = g.Peek(1)
	}
	if errors.Is(err, io.EOF) {
		if shut := g.pass(); shut != nil {
			return 0, shut
		}
	}
	return n, err
}

// WriteTo hides the reader's own, which would go past Read.
func (g fencedBody) WriteTo(w io.Writer) (int64, error) { return io.Copy(w, struct{ io.Reader }{g}) }
