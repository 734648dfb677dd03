package http1

import "bytes"

// targetLimit is the longest path and query that is taken, in bytes. HAProxy's configuration has the same.
const targetLimit = 8 << 10

// Chunked is the length of a body that is framed by chunks.
const Chunked = -1

// Request is the head of a request. Its slices are parts of the bytes that it was parsed from.
type Request struct {
	Method   []byte
	Target   []byte // a path with a query, or "*"
	Host     []byte // empty if an HTTP/1.0 request names none
	Minor    int    // HTTP/1.Minor
	Length   int64  // of the body, or Chunked
	Close    bool   // the client wants no further request on this connection
	Continue bool   // the client waits for a 100 before it sends the body
	Fields   []Field
}

// Parse reads a head that ends with an empty line. The fields of an earlier one are overwritten.
func (r *Request) Parse(head []byte) *Error {
	end := bytes.IndexByte(head, '\n')
	if end < 1 || head[end-1] != '\r' {
		return errLine
	}
	if err := r.parseStart(head[:end-1]); err != nil {
		return err
	}
	var err *Error
	if r.Fields, err = parseFields(r.Fields[:0], head[end+1:]); err != nil {
		return err
	}
	return r.interpret()
}

func (r *Request) parseStart(line []byte) *Error {
	first := bytes.IndexByte(line, ' ')
	last := bytes.LastIndexByte(line, ' ')
	if first < 1 || last <= first+1 {
		return errStart
	}
	version := line[last+1:]
	switch {
	case string(version) == "HTTP/1.1":
		r.Minor = 1
	case string(version) == "HTTP/1.0":
		r.Minor = 0
	case bytes.HasPrefix(version, []byte("HTTP/")):
		return errVersion
	default:
		return errStart
	}
	r.Method, r.Target, r.Host = line[:first], line[first+1:last], nil
	if !all(r.Method, tokenByte) {
		return errMethod
	}
	if string(r.Method) == "CONNECT" || string(r.Method) == "TRACE" {
		return errConnect
	}
	return r.parseTarget()
}

func (r *Request) parseTarget() *Error {
	if len(r.Target) > targetLimit {
		return errLong
	}
	for i, c := range r.Target {
		if class[c]&targetByte == 0 {
			return errTarget
		}
		if c == '%' && (i+2 >= len(r.Target) || class[r.Target[i+1]]&class[r.Target[i+2]]&hexByte == 0) {
			return errPercent
		}
	}
	if r.Target[0] == '/' || string(r.Target) == "*" && string(r.Method) == "OPTIONS" {
		return nil
	}
	// The form for proxies, which servers have to accept; its authority replaces Host (RFC 9112, 3.2.2).
	if !HasPrefix(r.Target, "http://") {
		return errTarget
	}
	rest := r.Target[len("http://"):]
	slash := bytes.IndexByte(rest, '/')
	if slash < 1 || bytes.IndexByte(rest[:slash], '?') >= 0 {
		return errTarget
	}
	r.Host, r.Target = rest[:slash], rest[slash:]
	return nil
}

// interpret reads what the fields say about the message itself.
func (r *Request) interpret() *Error {
	r.Length, r.Close, r.Continue = 0, r.Minor == 0, false
	hosts, lengths, codings := 0, 0, 0
	host := r.Host
	for i := range r.Fields {
		f := &r.Fields[i]
		switch f.Kind {
		case Host:
			hosts++
			if host == nil {
				host = f.Value
			}
			if !all(f.Value, hostByte) {
				return errHost
			}
		case Length:
			n, ok := number(f.Value)
			if lengths++; !ok || lengths > 1 {
				return errLength
			}
			r.Length = n
		case Coding:
			if codings++; codings > 1 || !Is(f.Value, "chunked") {
				return errCoding
			}
		case Connection:
			closes, keeps := options(f.Value, r.Fields)
			r.Close = r.Close && !keeps || closes
		case Expect:
			if !Is(f.Value, "100-continue") {
				return errExpect
			}
			r.Continue = r.Minor == 1
		}
	}
	switch {
	case hosts > 1 || hosts == 0 && r.Minor == 1 || !all(host, hostByte):
		return errHost
	case codings > 0 && lengths > 0:
		return errLength
	case codings > 0 && r.Minor == 0:
		return errCodingOld
	case codings > 0:
		r.Length = Chunked
	}
	r.Host = host
	return nil
}
