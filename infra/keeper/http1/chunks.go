package http1

// Chunks takes the chunks of one body apart.
type Chunks struct {
	state chunkState
	left  int64 // bytes of the chunk
	count int   // of digits, or of bytes that carry nothing
}

type chunkState uint8

const (
	chunkSize chunkState = iota
	chunkExtension
	chunkSizeEnd
	chunkData
	chunkDataCR
	chunkDataLF
	trailerStart
	trailerLine
	trailerLineEnd
	chunkEnd
	chunkDone
)

// mostIdle bounds what extensions of one chunk, or all trailers, may have; they are dropped.
const mostIdle = 4096

// Done says that the body is complete.
func (c *Chunks) Done() bool { return c.state == chunkDone }

// Next takes bytes from the beginning of in: it returns the data among them, which ends with its chunk, and how many
// bytes were taken. It takes all of them unless there is data to return or the body ends.
func (c *Chunks) Next(in []byte) (data []byte, taken int, err *Error) {
	for i := 0; i < len(in); {
		if c.state == chunkData {
			n := min(c.left, int64(len(in)-i))
			if c.left -= n; c.left == 0 {
				c.state = chunkDataCR
			}
			return in[i : i+int(n)], i + int(n), nil
		}
		if !c.step(in[i]) {
			return nil, i, errChunk
		}
		if i++; c.state == chunkDone {
			return nil, i, nil
		}
	}
	return nil, len(in), nil
}

// step takes a byte that is not data.
func (c *Chunks) step(b byte) bool {
	switch c.state {
	case chunkSize:
		switch {
		case class[b]&hexByte != 0:
			c.count++
			c.left = c.left<<4 | int64(unhex(b))
			return c.count <= 12
		case c.count == 0:
			return false
		}
		c.count = 0
		return c.sizeEnds(b)
	case chunkExtension:
		c.count++
		return c.count <= mostIdle && c.sizeEnds(b)
	case chunkSizeEnd:
		c.count = 0
		if c.state = chunkData; c.left == 0 {
			c.state = trailerStart
		}
		return b == '\n'
	case chunkDataCR:
		c.state = chunkDataLF
		return b == '\r'
	case chunkDataLF:
		c.state = chunkSize
		return b == '\n'
	case trailerStart:
		if b == '\r' {
			c.state = chunkEnd
			return true
		}
		c.state = trailerLine
		c.count++
		return class[b]&tokenByte != 0
	case trailerLine:
		if b == '\r' {
			c.state = trailerLineEnd
			return true
		}
		c.count++
		return c.count <= mostIdle && class[b]&valueByte != 0
	case trailerLineEnd:
		c.state = trailerStart
		return b == '\n'
	default: // chunkEnd
		c.state = chunkDone
		return b == '\n'
	}
}

func (c *Chunks) sizeEnds(b byte) bool {
	switch {
	case b == '\r':
		c.state = chunkSizeEnd
	case c.state == chunkSize && b != ';':
		return false
	default:
		c.state = chunkExtension
	}
	return b == '\r' || class[b]&valueByte != 0
}

func unhex(b byte) byte {
	switch {
	case b <= '9':
		return b - '0'
	default:
		return b&^0x20 - 'A' + 10
	}
}
