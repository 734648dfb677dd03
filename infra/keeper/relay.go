package keeper

import (
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"time"

	"twip/infra/keeper/http1"
)

// watchTime is how often somebody who waits for an answer looks whether its server still leads and its client still
// waits.
const watchTime = 250 * time.Millisecond

// try asks a server once, and passes its answer on if it may be given.
func (c *client) try(p *pool, to target, route Route) outcome {
	u, err := p.take(to, c.repeatable)
	if err != nil {
		return notSent
	}
	result, reusable := c.exchange(u, route)
	if reusable {
		p.give(u)
	} else {
		u.close()
	}
	return result
}

// exchange sends the request to u. It says whether u can be used again.
func (c *client) exchange(u *upstream, route Route) (result outcome, reusable bool) {
	k := c.proxy.keeper
	c.out = c.appendRequest(c.out[:0], route)
	change := route.Self && !c.repeatable
	if change {
		k.ChangeBegins()
	}
	result = uncertain
	if u.send(c.out, c.body) == nil {
		result = c.awaitHead(u, route)
	}
	if change {
		k.ChangeEnds(result == answered && c.response.Status < 500)
	}
	if result != answered {
		return result, false
	}
	if route.Self {
		k.heard.Store(int64(k.env.Now()))
		if c.proxy.keeper.MayAnswer(route.Epoch) != nil {
			k.metrics.fenceShut.Add(1)
			return uncertain, false
		}
		k.metrics.local.Add(1)
	} else {
		switch c.leadersWord(route) {
		case unsent:
			return notSent, false
		case "":
			return uncertain, false
		}
		k.metrics.forwarded.Add(1)
	}
	return c.relay(u, route)
}

// awaitHead reads the head of an answer. Interim ones are dropped: nobody asked for them.
func (c *client) awaitHead(u *upstream, route Route) outcome {
	for {
		head, malformed := u.in.Head()
		if malformed == nil && head != nil {
			malformed = c.response.Parse(head, string(c.request.Method) == "HEAD")
			if malformed == nil && c.response.Status >= 200 {
				return answered
			}
			if malformed == nil && c.response.Status != 101 {
				continue
			}
		}
		if malformed != nil || head != nil { // or another protocol, which no request asks for
			c.request.Close = true
			if c.say(502, "", "The application server gave an answer that is none.\n") == cut {
				return cut
			}
			return last
		}
		if result := c.fill(u, route); result != answered {
			return result
		}
	}
}

// fill reads from u, and looks around at times.
func (c *client) fill(u *upstream, route Route) outcome {
	for {
		if now := time.Now(); u.checked.Sub(now) < watchTime/2 {
			u.checked = now.Add(watchTime)
			_ = u.conn.SetReadDeadline(u.checked) // fails only on a closed connection, as the read then does
		}
		err := u.in.Fill()
		switch {
		case err == nil:
			return answered
		case err == io.EOF:
			u.ended = true
			return uncertain
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return uncertain
		case !c.peek.open():
			return cut
		case c.proxy.keeper.Route().Epoch != route.Epoch:
			return uncertain
		}
	}
}

// leadersWord is what an answer of another keeper says about itself: "unsent" if no JVM got the request, "" if it is no
// leader's answer, and else something else.
func (c *client) leadersWord(route Route) string {
	word := ""
	for i := range c.response.Fields {
		f := &c.response.Fields[i]
		if f.Kind != http1.Cluster {
			continue
		}
		switch {
		case http1.Is(f.Name, "keeper-refused"):
			f.Kind = http1.Plain // the client is to know
			if string(f.Value) == unsent {
				return unsent
			}
			word = inDoubt
		case http1.Is(f.Name, "keeper-epoch"):
			if epoch, err := strconv.ParseUint(string(f.Value), 10, 64); err == nil && epoch >= route.Epoch {
				word = "epoch"
			}
		}
	}
	return word
}

// appendRequest is the request's head as the server gets it: what is about the client's own connection is left out,
// what an edge proxy said about the client stays, and what is absent is added.
func (c *client) appendRequest(out []byte, route Route) []byte {
	r := &c.request
	out = append(append(out, r.Method...), ' ')
	out = append(append(out, r.Target...), " HTTP/1.1\r\nHost: "...)
	if len(r.Host) > 0 {
		out = append(out, r.Host...)
	} else {
		out = append(out, c.proxy.backend...)
	}
	out = append(out, "\r\n"...)
	forwardedFor, forwardedHost, forwardedProto, length := false, len(r.Host) == 0, false, false
	for i := range r.Fields {
		f := &r.Fields[i]
		switch f.Kind {
		case http1.Plain:
		case http1.ForwardedFor:
			forwardedFor = true
		case http1.ForwardedHost:
			forwardedHost = true
		case http1.ForwardedProto:
			forwardedProto = true
		case http1.Length:
			length = true
			continue
		default:
			continue
		}
		out = http1.AppendField(out, f.Name, f.Value)
	}
	if peer, ok := c.conn.RemoteAddr().(*net.TCPAddr); ok && !forwardedFor {
		out = append(out, "X-Forwarded-For: "...)
		out = peer.AddrPort().Addr().Unmap().AppendTo(out)
		out = append(out, "\r\n"...)
	}
	if !forwardedHost {
		out = http1.AppendField(out, []byte("X-Forwarded-Host"), r.Host)
	}
	if !forwardedProto {
		out = append(out, "X-Forwarded-Proto: http\r\n"...)
	}
	if length || r.Length != 0 {
		out = append(out, "Content-Length: "...)
		out = append(strconv.AppendInt(out, int64(len(c.body)), 10), "\r\n"...)
	}
	if !route.Self {
		out = append(append(append(out, forwardedHeader+": "...), route.Holder...), "\r\n"...)
	}
	return append(out, "\r\n"...)
}

// appendPersistence says whether the connection goes on, where the version's default is another.
func (c *client) appendPersistence(out []byte) []byte {
	switch {
	case c.closes():
		return append(out, "Connection: close\r\n"...)
	case c.request.Minor == 0:
		return append(out, "Connection: keep-alive\r\n"...)
	}
	return out
}

// appendResponse is the answer's head as the client gets it. chunks says that the body is sent in chunks.
func (c *client) appendResponse(out []byte, route Route, chunks bool) []byte {
	r := &c.response
	out = append(out, "HTTP/1.1 "...)
	out = strconv.AppendInt(out, int64(r.Status), 10)
	out = append(append(append(out, ' '), r.Reason...), "\r\n"...)
	for i := range r.Fields {
		switch f := &r.Fields[i]; f.Kind {
		case http1.Plain, http1.Host, http1.Expect, http1.ForwardedFor, http1.ForwardedHost, http1.ForwardedProto:
			out = http1.AppendField(out, f.Name, f.Value)
		case http1.Length:
			if r.Status != 204 {
				out = http1.AppendField(out, f.Name, f.Value)
			}
		}
	}
	if c.forwarded {
		out = append(out, epochHeader+": "...)
		out = append(strconv.AppendUint(out, route.Epoch, 10), "\r\n"...)
	}
	if chunks {
		out = append(out, "Transfer-Encoding: chunked\r\n"...)
	}
	return append(c.appendPersistence(out), "\r\n"...)
}

// relay passes an answer on. An answer that was read whole before the first look at the store needs no second one; of
// any other to a request that may change data, the end waits for one: an application may send the first bytes before
// its change is done. What ends an answer is the last byte of its length, or the chunk that says so; nothing before is
// held back.
func (c *client) relay(u *upstream, route Route) (result outcome, reusable bool) {
	body := incoming{in: &u.in, left: c.response.Length}
	chunks := body.left < 0 && c.request.Minor == 1
	if body.left < 0 && !chunks {
		c.request.Close = true
	}
	c.out = c.appendResponse(c.out[:0], route, chunks)
	for first := true; ; first = false {
		var malformed *http1.Error
		if c.out, malformed = body.appendTo(c.out, chunks); malformed != nil {
			return cut, false
		}
		if body.done && !first && route.Self && !c.repeatable && c.proxy.keeper.MayAnswer(route.Epoch) != nil {
			c.proxy.keeper.metrics.fenceShut.Add(1)
			return cut, false
		}
		if len(c.out) > 0 && !c.write(c.out) {
			return cut, false
		}
		c.out = c.out[:0]
		if body.done {
			return answered, !c.response.Close
		}
		result := c.fill(u, route)
		body.closed = u.ended && body.left == http1.UntilClose
		if result != answered && !body.closed {
			return cut, false
		}
	}
}
