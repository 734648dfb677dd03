package keeper_test

import (
	"math/rand"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	loads "twip/infra/load"
)

// dated is how long after its acknowledgement an article's date has to survive a kill.
const dated = 3 * time.Second

// TestDatesSurviveKills kills the leading JVM again and again under load. The sample gives an article the date of whatever
// executes it, a replay included, so only snapshots keep dates.
func TestDatesSurviveKills(t *testing.T) {
	const jvmKilled, serverKilled = 0, 2
	for _, test := range []struct {
		name    string
		servers int
		faults  []fault // in turns
	}{
		{"one server", 1, []fault{faults[jvmKilled]}},
		{"switches between two", 2, []fault{faults[serverKilled], faults[jvmKilled]}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCluster(t, test.servers, nil)
			l := newLoad(c)
			require.Eventually(t, l.flowing, time.Minute, 50*time.Millisecond, "no posts are acknowledged")
			rng := rand.New(rand.NewSource(3))
			var kills []loads.Window
			for i := range *killCount {
				// A moment that has nothing to do with when snapshots are taken.
				time.Sleep(dated + time.Duration(rng.Int63n(int64(dated))))
				victim := c.awaitLeader()
				f := test.faults[i%len(test.faults)]
				k := loads.Window{From: time.Now()}
				require.NoError(t, f.do(c, victim, time.Second))
				over := time.Now()
				require.Eventually(t, func() bool {
					return time.Since(over) > time.Second && l.flowing() && c.healthy()
				}, time.Minute, 50*time.Millisecond, "after %q of %s: no posts are acknowledged", f.name, victim.name)
				k.To = time.Now()
				kills = append(kills, k)
			}
			l.end()
			l.account(t)
			l.dates(t, kills)
		})
	}
}

// dates compares the date of each acknowledged article with when it was posted.
func (l *load) dates(t *testing.T, kills []loads.Window) {
	t.Helper()
	d := loads.Dates(l.list(t, l.balancer.cluster.awaitLeader()), l.samples, kills, dated, 0)
	require.Empty(t, d.Wrong)
	acked := loads.Count("", titles, l.samples).Acknowledged
	require.Equal(t, acked, d.Exact+d.Off, "articles with a date")
	t.Logf("%d kills, %d articles acknowledged: %d have exactly their date, %d posted within %s before a kill are off by at most %s",
		len(kills), acked, d.Exact, d.Off, dated, d.Worst.Round(time.Millisecond))
	require.NotZero(t, d.Exact)
}
