package http1

import "bytes"

// UntilClose is the length of an answer's body that ends with its connection.
const UntilClose = -2

// Response is the head of an answer. Its slices are parts of the bytes that it was parsed from.
type Response struct {
	Status int
	Reason []byte
	Length int64 // of the body that follows, Chunked or UntilClose
	Close  bool  // the server takes no further request on this connection
	Fields []Field
}

// Parse reads a head that ends with an empty line; head is true if the request's method was HEAD.
func (r *Response) Parse(message []byte, head bool) *Error {
	end := bytes.IndexByte(message, '\n')
	if end < 1 || message[end-1] != '\r' {
		return errLine
	}
	line := message[:end-1]
	// "HTTP/1.1 200 OK"; the space after the status is often missing where there is no reason.
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.")) || line[8] != ' ' ||
		line[7] != '0' && line[7] != '1' {
		return errStatus
	}
	status, ok := number(line[9:12])
	if !ok || status < 100 || len(line) > 12 && line[12] != ' ' {
		return errStatus
	}
	r.Status, r.Reason = int(status), line[min(13, len(line)):]
	if !all(r.Reason, valueByte) {
		return errStatus
	}
	var err *Error
	if r.Fields, err = parseFields(r.Fields[:0], message[end+1:]); err != nil {
		return err
	}
	return r.interpret(line[7] == '0', head)
}

func (r *Response) interpret(old, head bool) *Error {
	r.Length, r.Close = UntilClose, old
	lengths, codings := 0, 0
	for i := range r.Fields {
		f := &r.Fields[i]
		switch f.Kind {
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
		}
	}
	switch {
	case codings > 0 && (lengths > 0 || old):
		return errLength
	case head || r.Status < 200 || r.Status == 204 || r.Status == 304:
		r.Length = 0
	case codings > 0:
		r.Length = Chunked
	case lengths == 0:
		r.Close = true
	}
	return nil
}
