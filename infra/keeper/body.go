package keeper

import (
	"bytes"
	"errors"
	"io"
	"os"

	"twip/infra/keeper/http1"
)

// What a request's body is refused for.
var (
	errBodyLarge = &http1.Error{Status: 413, Text: "the body is larger than this site takes"}
	errBodySlow  = &http1.Error{Status: 408, Text: "the body did not come in time"}
)

// readBody reads all of the body before anything is done about the request: so it can be sent again, and a slow client
// takes none of the JVM's threads.
func (c *client) readBody(head []byte) bool {
	c.body = c.body[:0]
	n := c.request.Length
	if n == 0 {
		return true
	}
	if n > c.proxy.maxBody {
		c.reject(errBodyLarge)
		return false
	}
	reserve := n
	if n == http1.Chunked {
		// Its fields have to outlive the next read.
		if refusal := c.request.Parse(bytes.Clone(head)); refusal != nil {
			c.reject(refusal)
			return false
		}
		reserve = c.proxy.maxBody
	}
	c.reserved = reserve
	if c.proxy.kept.Add(reserve) > c.proxy.keepLimit {
		c.request.Close = true // the body is left unread
		c.refuse(unsent)
		c.linger()
		return false
	}
	if c.request.Continue && len(c.in.Buffered()) == 0 && !c.write([]byte("HTTP/1.1 100 Continue\r\n\r\n")) {
		return false
	}
	if n == http1.Chunked {
		return c.readChunks()
	}
	if int64(cap(c.body)) < n {
		c.body = make([]byte, 0, n)
	}
	there := c.in.Buffered()
	there = there[:min(int64(len(there)), n)]
	c.body = append(c.body, there...)
	c.in.Take(len(there))
	if int64(len(c.body)) == n {
		return true
	}
	c.allowRead(bodyTime, false)
	read, err := io.ReadFull(c.conn, c.body[len(c.body):n])
	c.body = c.body[:len(c.body)+read]
	return c.complete(err)
}

func (c *client) readChunks() bool {
	c.allowRead(bodyTime, false)
	var chunks http1.Chunks
	for {
		data, taken, refusal := chunks.Next(c.in.Buffered())
		if refusal == nil && int64(len(c.body)+len(data)) > c.proxy.maxBody {
			refusal = errBodyLarge
		}
		if refusal != nil {
			c.reject(refusal)
			return false
		}
		c.body = append(c.body, data...)
		c.in.Take(taken)
		if chunks.Done() {
			return true
		}
		if len(c.in.Buffered()) > 0 {
			continue
		}
		if err := c.in.Fill(); err != nil {
			return c.complete(err)
		}
	}
}

func (c *client) complete(err error) bool {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.reject(errBodySlow)
	}
	return err == nil
}
