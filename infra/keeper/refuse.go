package keeper

import (
	"net/http"
	"strconv"

	"twip/infra/keeper/http1"
)

// reject answers a message that is not taken; the connection ends, since nobody knows where the next one begins.
func (c *client) reject(e *http1.Error) {
	c.request.Close = true
	c.say(e.Status, "", e.Text+"\n")
	c.linger()
}

// refuse answers for a keeper that has no answer of the application's.
func (c *client) refuse(why string) outcome {
	text := "No application server could take this request. It was not carried out; try again.\n"
	m := c.proxy.keeper.metrics
	if why == inDoubt {
		text = "The application server was lost while it worked on this request. " +
			"Whether it was carried out is not known; look before you try again.\n"
		m.inDoubt.Add(1)
	} else {
		m.unsent.Add(1)
	}
	// Not the path or the query: they may be a reader's own words. Production counts these lines.
	c.proxy.keeper.log.Warn("refused", "state", why, "method", string(c.request.Method))
	return c.say(http.StatusServiceUnavailable, "Retry-After: 1\r\n"+refusedHeader+": "+why+"\r\n", text)
}

// answerProbe tells another keeper whether this one leads and is ready.
func (c *client) answerProbe() outcome {
	if !c.proxy.keeper.Route().Self {
		return c.say(http.StatusConflict, "", "not leading\n")
	}
	return c.say(http.StatusNoContent, "", "")
}

// answerMisdirected tells a keeper that the address it knows has passed to another one. Nothing is counted: a visitor
// can do this too.
func (c *client) answerMisdirected() outcome {
	return c.say(http.StatusMisdirectedRequest, refusedHeader+": "+unsent+"\r\n", "meant for another keeper\n")
}

// say gives an answer of the keeper's own; fields are whole lines.
func (c *client) say(status int, fields, text string) outcome {
	c.out = append(c.out[:0], "HTTP/1.1 "...)
	c.out = strconv.AppendInt(c.out, int64(status), 10)
	c.out = append(append(c.out, ' '), http.StatusText(status)...)
	c.out = append(append(c.out, "\r\n"...), fields...)
	if status != http.StatusNoContent {
		c.out = append(c.out,
			"Cache-Control: no-store\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: "...)
		c.out = strconv.AppendInt(c.out, int64(len(text)), 10)
		c.out = append(c.out, "\r\n"...)
	}
	c.out = append(c.appendPersistence(c.out), "\r\n"...)
	if string(c.request.Method) != http.MethodHead {
		c.out = append(c.out, text...)
	}
	if !c.write(c.out) {
		return cut
	}
	return answered
}
