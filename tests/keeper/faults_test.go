package keeper_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	loads "twip/infra/load"
)

// fault is something that happens to a server, mostly the leader, and is over after a while.
type fault struct {
	name string
	do   func(c *cluster, s *server, long time.Duration) error
}

func pause(pid func(*server) int) func(*cluster, *server, time.Duration) error {
	return func(_ *cluster, s *server, long time.Duration) error {
		stopped := pid(s)
		if err := signal(stopped, syscall.SIGSTOP); err != nil {
			return err
		}
		time.Sleep(long)
		return signal(stopped, syscall.SIGCONT)
	}
}

// restart starts the container anew a moment after it was killed.
func restart(c *cluster, s *server, after time.Duration) error {
	time.Sleep(after)
	if _, err := docker("wait", s.name); err != nil {
		return err
	}
	c.start(s)
	return nil
}

var faults = []fault{
	{"JVM killed", func(_ *cluster, s *server, _ time.Duration) error {
		return signal(s.jvmPID(), syscall.SIGKILL)
	}},
	{"keeper killed, restarted at once", func(c *cluster, s *server, _ time.Duration) error {
		if err := signal(s.keeperPID(), syscall.SIGKILL); err != nil {
			return err
		}
		return restart(c, s, 0)
	}},
	{"server killed", func(c *cluster, s *server, long time.Duration) error {
		if _, err := docker("kill", s.name); err != nil {
			return err
		}
		return restart(c, s, 5*time.Second+long/4)
	}},
	{"JVM paused", pause((*server).jvmPID)},
	{"keeper paused", pause((*server).keeperPID)},
	{"server paused", func(_ *cluster, s *server, long time.Duration) error {
		if _, err := docker("pause", s.name); err != nil {
			return err
		}
		time.Sleep(long)
		_, err := docker("unpause", s.name)
		return err
	}},
	{"store unreachable", func(_ *cluster, s *server, long time.Duration) error {
		if err := s.hideStore(); err != nil {
			return err
		}
		time.Sleep(long)
		s.mend()
		return nil
	}},
	{"all killed, started at once", func(c *cluster, _ *server, _ time.Duration) error {
		for _, s := range c.servers {
			if err := signal(s.keeperPID(), syscall.SIGKILL); err != nil {
				return err
			}
		}
		var started sync.WaitGroup
		problems := make([]error, len(c.servers))
		for i, s := range c.servers {
			started.Go(func() { problems[i] = restart(c, s, 0) })
		}
		started.Wait()
		for _, err := range problems {
			if err != nil {
				return err
			}
		}
		return nil
	}},
	{"orderly stop", func(c *cluster, s *server, _ time.Duration) error {
		if _, err := docker("stop", "--time", "60", s.name); err != nil {
			return err
		}
		return restart(c, s, 0)
	}},
}

// TestFaults injects faults under load, in rounds of two and three servers with a store of their own.
func TestFaults(t *testing.T) {
	const perRound = 18
	rng := rand.New(rand.NewSource(2))
	gaps := map[string][]time.Duration{}
	others, steps := map[string]int{}, map[string][]time.Duration{}
	var posts, reads, retried, acked int
	for done, round := 0, 0; done < *faultCount; round++ {
		servers := 2 + round%2
		some := min(perRound, *faultCount-done, (*faultCount+1)/2)
		t.Run(fmt.Sprintf("round %d, %d servers", round+1, servers), func(t *testing.T) {
			c := newCluster(t, servers, nil)
			l := newLoad(c)
			require.Eventually(t, l.flowing, time.Minute, 50*time.Millisecond, "no posts are acknowledged")
			for i := range some {
				f := faults[(done+i)%len(faults)]
				l.suffer(t, f, rng, gaps)
			}
			l.end()
			tally := l.account(t)
			c.steps(steps)
			posts, acked = posts+tally.Sent, acked+tally.Acknowledged
			reads, retried = reads+len(l.samples)-tally.Sent, retried+int(l.balancer.retried.Load())
			for _, kind := range []loads.Kind{loads.Post, loads.Page} {
				for problem, n := range loads.Failed(loads.Of(l.samples, kind)) {
					others[string(kind)+" "+problem] += n
				}
			}
		})
		if t.Failed() {
			return
		}
		done += some
	}
	t.Logf("%d faults, %d posts (%d acknowledged, all there, none twice), %d reads (%d by a second server)",
		*faultCount, posts, acked, reads, retried)
	for _, kind := range slices.Sorted(maps.Keys(others)) {
		t.Logf("not 2xx or 3xx: %-28s %6d", kind, others[kind])
	}
	for _, f := range faults {
		report(t, "write gap: "+f.name, gaps[f.name])
	}
	for _, step := range stepNames {
		report(t, "takeover: "+step, steps[step])
	}
}

func report(t *testing.T, what string, times []time.Duration) {
	t.Helper()
	if len(times) > 0 {
		slices.Sort(times)
		t.Logf("%-44s n %4d  p50 %9.3f ms  p99 %9.3f ms", what, len(times), ms(quantile(times, 0.5)), ms(quantile(times, 0.99)))
	}
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// stepNames are the steps of a takeover, as keepers log them.
var stepNames = []string{"copy", "start", "took"}

// steps adds how long the steps of takeovers took.
func (c *cluster) steps(steps map[string][]time.Duration) {
	c.t.Helper()
	for _, s := range c.servers {
		for line := range strings.Lines(c.docker("logs", s.name)) {
			var entry map[string]any
			if json.Unmarshal([]byte(line), &entry) != nil || entry["msg"] != "leading" {
				continue // Jetty's, or another line
			}
			for _, step := range stepNames {
				took, err := time.ParseDuration(fmt.Sprint(entry[step]))
				require.NoError(c.t, err)
				steps[step] = append(steps[step], took)
			}
		}
	}
}

// suffer injects one fault and waits until posts flow again and all servers are healthy.
func (l *load) suffer(t *testing.T, f fault, rng *rand.Rand, gaps map[string][]time.Duration) {
	t.Helper()
	c := l.balancer.cluster
	leader := c.awaitLeader()
	victim := leader
	if rng.Intn(5) == 0 {
		victim = c.servers[rng.Intn(len(c.servers))]
	}
	// Mostly short: what is decided by a time-out is decided in the first seconds.
	long := time.Second + time.Duration(math.Pow(rng.Float64(), 4)*float64(*longPause-time.Second))
	began := time.Now()
	require.NoError(t, f.do(c, victim, long), f.name)
	over := time.Now()
	require.Eventually(t, func() bool { return time.Since(over) > time.Second && l.flowing() && c.healthy() }, 2*time.Minute, 50*time.Millisecond,
		"after %q of %s: no posts are acknowledged, or a server stays unhealthy", f.name, victim.name)
	gap := l.gap(began)
	if victim == leader {
		gaps[f.name] = append(gaps[f.name], gap)
	}
	fmt.Printf("%s  %-33s leader %-5t lasted %5.1f s  write gap %5.2f s\n", time.Now().Format(time.TimeOnly), f.name, victim == leader, over.Sub(began).Seconds(), gap.Seconds())
}

func (c *cluster) healthy() bool {
	for _, s := range c.servers {
		s.mu.Lock()
		healthy := s.healthy
		s.mu.Unlock()
		if !healthy {
			return false
		}
	}
	return true
}

// quantile is of sorted values.
func quantile(sorted []time.Duration, q float64) time.Duration {
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}
