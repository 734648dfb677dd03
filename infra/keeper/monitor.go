package keeper

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrStuck marks a JVM that answers but carries no change out any more.
var ErrStuck = errors.New("the JVM carries out no changes any more")

// changeMonitor follows requests that may change data, to know a JVM that has lost its journal: Prevayler waits for
// ever after a write that failed, and applications of its kind answer every change with an error, while reads go on.
type changeMonitor struct {
	mu      sync.Mutex
	running int
	since   time.Duration // no change has been carried out since then, with one under way or failed all the time
	failing bool          // the last one to end failed
	spared  time.Duration // until when the JVM is not judged again: a visitor can send what always fails
	found   int           // how often it was found stuck without a change in between
}

// begin counts a request to the own JVM that may change data.
func (c *changeMonitor) begin(now time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running == 0 && !c.failing {
		c.since = now
	}
	c.running++
}

func (c *changeMonitor) end(now time.Duration, carriedOut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running = max(0, c.running-1)
	if c.failing = !carriedOut; carriedOut {
		c.since, c.found = now, 0
	}
}

// reset begins again with a new JVM.
func (c *changeMonitor) reset(now time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running, c.failing, c.since = 0, false, now
}

// stuck is an error if no change was carried out for limit although some were asked for all that time. Each time in a
// row it waits twice as long before it says so again, up to an hour.
func (c *changeMonitor) stuck(now, limit time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running == 0 && !c.failing || now-c.since <= limit || now < c.spared {
		return nil
	}
	c.found++
	c.spared = now + min(limit<<min(c.found, 10), time.Hour)
	return fmt.Errorf("%w: none for %s; a new one starts from what is on the disk", ErrStuck,
		(now - c.since).Round(time.Millisecond))
}

// ChangeBegins and ChangeEnds tell of every request to the own JVM that is not known to change nothing. carriedOut says
// that the JVM's answer was below 500; a request that got none was not.
func (k *Keeper) ChangeBegins() { k.changes.begin(k.env.Now()) }

// ChangeEnds is the other half of ChangeBegins.
func (k *Keeper) ChangeEnds(carriedOut bool) { k.changes.end(k.env.Now(), carriedOut) }
