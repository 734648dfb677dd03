package http1

import (
	"bytes"
	"io"
)

// HeadLimit is the largest head that is taken, in bytes: the first line, all fields and the empty line. Jetty has
// the same.
const HeadLimit = 20 << 10

// Reader reads messages from a connection into a buffer that it keeps. After an error of the connection, such as a
// deadline, it can go on.
type Reader struct {
	source io.Reader
	buffer []byte
	from   int // of what has been read and not been taken
	to     int
}

// NewReader starts with a buffer of the given size, which grows to HeadLimit if need be.
func NewReader(source io.Reader, size int) Reader {
	return Reader{source: source, buffer: make([]byte, size)}
}

// Buffered is what has been read and not been taken. It is valid until the next call of Fill.
func (r *Reader) Buffered() []byte { return r.buffer[r.from:r.to] }

// Take drops the first n bytes of what is buffered.
func (r *Reader) Take(n int) {
	if r.from += n; r.from == r.to {
		r.from, r.to = 0, 0
	}
}

// Head returns the next head once it is complete, and takes it; nil means that Fill is to be called first.
func (r *Reader) Head() ([]byte, *Error) {
	waiting := r.Buffered()
	end := bytes.Index(waiting, []byte("\r\n\r\n"))
	if end < 0 {
		return nil, incomplete(waiting)
	}
	if end += 4; end > HeadLimit {
		return nil, errLarge
	}
	// Not by Take: the head stays where it is while the message is worked on.
	r.from += end
	return waiting[:end], nil
}

// incomplete refuses at once what can never become a head.
func incomplete(waiting []byte) *Error {
	if len(waiting) >= HeadLimit {
		return errLarge
	}
	for at := 0; ; {
		line := bytes.IndexByte(waiting[at:], '\n')
		if line < 0 {
			return nil
		}
		if at+line == 0 || waiting[at+line-1] != '\r' || at+line == 1 {
			return errLine
		}
		at += line + 1
	}
}

// Fill reads once. What has been taken is overwritten.
func (r *Reader) Fill() error {
	if r.from == r.to {
		r.from, r.to = 0, 0
	}
	if r.to == len(r.buffer) {
		if r.from > 0 {
			r.to = copy(r.buffer, r.buffer[r.from:r.to])
			r.from = 0
		} else {
			r.buffer = append(r.buffer, make([]byte, len(r.buffer))...)
		}
	}
	n, err := r.source.Read(r.buffer[r.to:])
	r.to += n
	if n > 0 {
		return nil
	}
	return err
}
