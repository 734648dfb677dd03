package keeper

import (
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

// buckets are the upper bounds of the latency histogram.
var buckets = [...]time.Duration{
	time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond,
	50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second,
}

// metrics are counted since the process started.
type metrics struct {
	epoch, leading             atomic.Int64
	takeovers, takeoverTime    atomic.Int64 // number, and the last one's nanoseconds
	local, forwarded           atomic.Int64
	unsent, inDoubt            atomic.Int64
	held, fenceShut            atomic.Int64
	latency                    [len(buckets) + 1]atomic.Int64
	latencyCount, latencyNanos atomic.Int64
}

func newMetrics() *metrics { return &metrics{} }

func (m *metrics) role(r Route) {
	m.epoch.Store(int64(r.Epoch))
	m.leading.Store(0)
	if r.Self {
		m.leading.Store(1)
	}
}

func (m *metrics) tookOver(d time.Duration) {
	m.takeovers.Add(1)
	m.takeoverTime.Store(int64(d))
}

func (m *metrics) observe(d time.Duration) {
	i := 0
	for i < len(buckets) && d > buckets[i] {
		i++
	}
	m.latency[i].Add(1)
	m.latencyCount.Add(1)
	m.latencyNanos.Add(int64(d))
}

// write prints the metrics in Prometheus' text format, version 0.0.4.
func (m *metrics) write(w io.Writer) {
	one := func(kind, name, labels, help string, value any) {
		if help != "" {
			fmt.Fprintf(w, "# HELP keeper_%s %s\n# TYPE keeper_%s %s\n", name, help, name, kind)
		}
		fmt.Fprintf(w, "keeper_%s%s %v\n", name, labels, value)
	}
	one("gauge", "epoch", "", "The newest epoch known.", m.epoch.Load())
	one("gauge", "leading", "", "1 if this keeper's JVM answers, 0 if it stands by.", m.leading.Load())
	one("counter", "takeovers_total", "", "How often this keeper became the leader.", m.takeovers.Load())
	one("gauge", "takeover_seconds", "",
		"How long the last takeover took, from the decision to the JVM's first answer.",
		time.Duration(m.takeoverTime.Load()).Seconds())
	one("counter", "requests_total", `{by="local"}`, "Requests, by who answered.", m.local.Load())
	one("counter", "requests_total", `{by="leader"}`, "", m.forwarded.Load())
	one("counter", "refused_total", `{state="unsent"}`, "Requests refused, by whether they may have been carried out.",
		m.unsent.Load())
	one("counter", "refused_total", `{state="in_doubt"}`, "", m.inDoubt.Load())
	one("counter", "held_total", "", "Requests that had to wait for a leader.", m.held.Load())
	one("counter", "gate_shut_total", "", "Answers of the JVM that were not released.", m.fenceShut.Load())
	fmt.Fprint(w, "# HELP keeper_request_seconds Time from a request's arrival to the end of its answer.\n"+
		"# TYPE keeper_request_seconds histogram\n")
	count := int64(0)
	for i, bound := range buckets {
		count += m.latency[i].Load()
		fmt.Fprintf(w, "keeper_request_seconds_bucket{le=\"%g\"} %d\n", bound.Seconds(), count)
	}
	fmt.Fprintf(w, "keeper_request_seconds_bucket{le=\"+Inf\"} %d\n", count+m.latency[len(buckets)].Load())
	fmt.Fprintf(w, "keeper_request_seconds_sum %g\n", time.Duration(m.latencyNanos.Load()).Seconds())
	fmt.Fprintf(w, "keeper_request_seconds_count %d\n", m.latencyCount.Load())
}
