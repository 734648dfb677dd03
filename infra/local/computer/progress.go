package computer

import (
	"fmt"
	"time"
)

// step reports that something a person waits for begins, and, by the function it returns, that it ended and how long it
// took.
func (c *Computer) step(format string, args ...any) (done func()) {
	what := fmt.Sprintf(format, args...)
	started := time.Now()
	c.options.Progress(what + " …")
	return func() { c.options.Progress(fmt.Sprintf("%s: done in %.1f s", what, time.Since(started).Seconds())) }
}
