package http1

import "bytes"

// mostFields is how many header fields a message may have; HAProxy and Jetty have such limits too.
const mostFields = 100

// Kind says what a header field is to a proxy.
type Kind uint8

// Kinds of fields. What is Plain is passed on.
const (
	Plain Kind = iota
	Hop        // is about one connection, and not passed on
	Host
	Length
	Coding
	Connection
	Expect
	Cluster // Keeper-*: keepers talk to each other in these
	ForwardedFor
	ForwardedHost
	ForwardedProto
)

// Field is one line of a head; both parts are inside the head's own bytes.
type Field struct {
	Kind        Kind
	Name, Value []byte
}

func kind(name []byte) Kind {
	switch len(name) {
	case 2:
		return choose(name, "te", Hop)
	case 4:
		return choose(name, "host", Host)
	case 6:
		return choose(name, "expect", Expect)
	case 7:
		return max(choose(name, "upgrade", Hop), choose(name, "trailer", Hop))
	case 10:
		return max(choose(name, "connection", Connection), choose(name, "keep-alive", Hop))
	case 14:
		if k := choose(name, "content-length", Length); k != Plain {
			return k
		}
		return choose(name, "http2-settings", Hop)
	case 15:
		return choose(name, "x-forwarded-for", ForwardedFor)
	case 16:
		return max(choose(name, "x-forwarded-host", ForwardedHost), choose(name, "proxy-connection", Hop))
	case 17:
		return max(choose(name, "x-forwarded-proto", ForwardedProto), choose(name, "transfer-encoding", Coding))
	case 18:
		return choose(name, "proxy-authenticate", Hop)
	case 19:
		return choose(name, "proxy-authorization", Hop)
	}
	return Plain
}

func choose(name []byte, lower string, k Kind) Kind {
	if Is(name, lower) {
		return k
	}
	return Plain
}

// parseFields appends the fields of a head without its first line to list.
func parseFields(list []Field, head []byte) ([]Field, *Error) {
	for {
		end := bytes.IndexByte(head, '\n')
		if end < 1 || head[end-1] != '\r' {
			return list, errLine
		}
		line := head[:end-1]
		if head = head[end+1:]; len(line) == 0 {
			return list, nil
		}
		colon := 0
		for colon < len(line) && class[line[colon]]&tokenByte != 0 {
			colon++
		}
		if colon == 0 || colon == len(line) || line[colon] != ':' {
			return list, errName
		}
		f := Field{Name: line[:colon], Value: trim(line[colon+1:])}
		if !all(f.Value, valueByte) {
			return list, errValue
		}
		if f.Kind = kind(f.Name); f.Kind == Plain && HasPrefix(f.Name, "keeper-") {
			f.Kind = Cluster
		}
		if len(list) == mostFields {
			return list, errFields
		}
		list = append(list, f)
	}
}

// options reads a Connection field: whether it says close or keep-alive, and which fields it makes hop-by-hop. A client
// cannot take away what an edge proxy says about it, nor what frames the message.
func options(value []byte, fields []Field) (closes, keeps bool) {
	for len(value) > 0 {
		option := value
		if comma := bytes.IndexByte(value, ','); comma >= 0 {
			option, value = value[:comma], value[comma+1:]
		} else {
			value = nil
		}
		option = trim(option)
		switch {
		case Is(option, "close"):
			closes = true
		case Is(option, "keep-alive"):
			keeps = true
		case HasPrefix(option, "forwarded"), HasPrefix(option, "x-forwarded-"):
		default:
			for i := range fields {
				if f := &fields[i]; f.Kind == Plain && len(f.Name) == len(option) && bytes.EqualFold(f.Name, option) {
					f.Kind = Hop
				}
			}
		}
	}
	return closes, keeps
}

// AppendField appends a line.
func AppendField(out []byte, name, value []byte) []byte {
	out = append(out, name...)
	out = append(out, ": "...)
	out = append(out, value...)
	return append(out, "\r\n"...)
}
