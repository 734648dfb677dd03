package keeper_test

import (
	"io"
	"math/rand"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// dated is how long after its acknowledgement an article's date has to survive a kill.
const dated = 3 * time.Second

// kill is a kill -9 of the leading JVM, alone or with its whole server.
type kill struct{ at, over time.Time }

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
			l.run()
			require.Eventually(t, l.flowing, time.Minute, 50*time.Millisecond, "no posts are acknowledged")
			rng := rand.New(rand.NewSource(3))
			var kills []kill
			for i := range *killCount {
				// A moment that has nothing to do with when snapshots are taken.
				time.Sleep(dated + time.Duration(rng.Int63n(int64(dated))))
				victim := c.awaitLeader()
				f := test.faults[i%len(test.faults)]
				k := kill{at: time.Now()}
				require.NoError(t, f.do(c, victim, time.Second))
				over := time.Now()
				require.Eventually(t, func() bool {
					return time.Since(over) > time.Second && l.flowing() && c.healthy()
				}, time.Minute, 50*time.Millisecond, "after %q of %s: no posts are acknowledged", f.name, victim.name)
				k.over = time.Now()
				kills = append(kills, k)
			}
			l.end()
			l.account(t)
			l.dates(t, kills)
		})
	}
}

var listed = regexp.MustCompile(`<h2>([^<]*)</h2>\s*<time datetime="([^"]*)"`)

// dates compares the date of each acknowledged article with when it was posted.
func (l *load) dates(t *testing.T, kills []kill) {
	t.Helper()
	resp, err := l.client.Get("http://" + l.cluster.awaitLeader().ip + ":8080/Read.action")
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode)
	page, err := io.ReadAll(resp.Body)
	require.NoError(t, err)

	var exact, late int
	var worst time.Duration
	for _, article := range listed.FindAllStringSubmatch(string(page), -1) {
		title := article[1]
		s, acked := l.spans[title]
		if !acked {
			continue // nobody was told of it
		}
		date, err := time.Parse(time.RFC3339Nano, article[2])
		require.NoError(t, err)
		require.False(t, date.Before(s.sent.Truncate(time.Millisecond)), "%s is dated %s, before it was posted: %s", title, date, s.sent)
		if !date.After(s.acked) {
			exact++
			continue
		}
		late++
		worst = max(worst, date.Sub(s.acked))
		excused := false
		for _, k := range kills {
			excused = excused || s.acked.After(k.at.Add(-dated)) && !s.acked.After(k.over) && !date.After(k.over)
		}
		require.True(t, excused, "%s was acknowledged at %s and is dated %s, but no kill was near", title, s.acked, date)
	}
	require.Equal(t, len(l.acked), exact+late, "articles with a date")
	t.Logf("%d kills, %d articles acknowledged: %d have exactly their date, %d posted within %s before a kill are off by at most %s",
		len(kills), len(l.acked), exact, late, dated, worst.Round(time.Millisecond))
	require.NotZero(t, exact)
}
