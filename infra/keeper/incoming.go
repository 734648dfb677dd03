package keeper

import (
	"strconv"

	"twip/infra/keeper/http1"
)

// incoming is the body of an answer that is being read.
type incoming struct {
	in     *http1.Reader
	left   int64 // bytes to come, http1.Chunked or http1.UntilClose
	chunks http1.Chunks
	closed bool // the server has closed the connection
	done   bool // everything was appended
}

// appendTo appends what has been read, in chunks if asked for, and the end once it is there.
func (b *incoming) appendTo(out []byte, chunked bool) ([]byte, *http1.Error) {
	for {
		data := b.in.Buffered()
		taken := len(data)
		switch b.left {
		case http1.UntilClose:
			b.done = b.closed
		case http1.Chunked:
			var malformed *http1.Error
			if data, taken, malformed = b.chunks.Next(data); malformed != nil {
				return out, malformed
			}
			b.done = b.chunks.Done()
		default:
			taken = int(min(int64(taken), b.left))
			data = data[:taken]
			b.left -= int64(taken)
			b.done = b.left == 0
		}
		if chunked && len(data) > 0 {
			out = append(strconv.AppendInt(out, int64(len(data)), 16), "\r\n"...)
		}
		out = append(out, data...)
		if chunked && len(data) > 0 {
			out = append(out, "\r\n"...)
		}
		b.in.Take(taken)
		if b.done && chunked {
			out = append(out, "0\r\n\r\n"...)
		}
		if b.done || taken == 0 {
			return out, nil
		}
	}
}
