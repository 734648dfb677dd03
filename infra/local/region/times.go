package region

import "time"

// What AWS waits for because its metrics are slow and its machines far away is waited for here at most this long. Other
// times are the declared ones. It is the one place where times differ; infra/local/README.md lists it.
const (
	longestWarmup = 20 * time.Second
	longestBake   = 20 * time.Second
)

// Intervals of the controller's own.
const (
	tick       = time.Second
	retryAfter = 5 * time.Second // between two attempts to start or end one machine
)

func shortened(d, longest time.Duration) time.Duration { return min(d, longest) }
