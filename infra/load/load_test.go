package load

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twip/infra/site"
)

// at is a moment of a synthetic timeline, in seconds.
func at(seconds float64) time.Time {
	return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC).Add(time.Duration(seconds * float64(time.Second)))
}

func post(n int, sent, done float64, problem string) Sample {
	return Sample{Kind: Post, Title: Title("t", n), Sent: at(sent), Done: at(done), Problem: problem}
}

func TestGap(t *testing.T) {
	for name, tc := range map[string]struct {
		done   []float64
		failed []float64
		gap    float64
		from   float64
	}{
		"steady":                   {[]float64{8, 9, 10, 11, 12, 20}, nil, 8, 12},
		"began before":             {[]float64{4, 9.5, 19, 19.5}, nil, 9.5, 9.5},
		"over before":              {[]float64{1, 9.9, 13, 16, 19}, nil, 3.1, 9.9},
		"never came back":          {[]float64{9, 10.5}, nil, 9.5, 10.5},
		"nothing at all":           {nil, nil, 10, 10},
		"failures are no answers":  {[]float64{9, 19}, []float64{12, 14, 16}, 10, 9},
		"in the order of the ends": {[]float64{19, 13, 9, 16}, nil, 4, 9},
	} {
		t.Run(name, func(t *testing.T) {
			var samples []Sample
			for _, done := range tc.done {
				samples = append(samples, Sample{Sent: at(done - 0.1), Done: at(done)})
			}
			for _, done := range tc.failed {
				samples = append(samples, Sample{Sent: at(done - 0.1), Done: at(done), Problem: "503"})
			}
			gap, from := Gap(samples, at(10), at(20))
			require.InDelta(t, tc.gap, gap.Seconds(), 1e-9)
			require.Equal(t, at(tc.from), from)
		})
	}
}

func TestCount(t *testing.T) {
	page := func(posts ...int) string {
		var b strings.Builder
		for _, n := range posts {
			fmt.Fprintf(&b, "<h2>%s</h2>", Title("t", n))
		}
		return b.String() + "<h2>another's</h2><!-- t-000009 -->"
	}
	acked, unknown := post(1, 1, 2, ""), post(2, 1, 2, "503")
	for name, tc := range map[string]struct {
		page string
		want Tally
	}{
		"as it should be":      {page(1), Tally{Sent: 2, Acknowledged: 1, Unanswered: 1}},
		"there anyway":         {page(1, 2), Tally{Sent: 2, Acknowledged: 1, Unanswered: 1, ThereAnyway: 1}},
		"lost":                 {page(), Tally{Sent: 2, Acknowledged: 1, Unanswered: 1, Lost: []string{"t-000001"}}},
		"doubled":              {page(1, 1), Tally{Sent: 2, Acknowledged: 1, Unanswered: 1, Doubled: []string{"t-000001"}}},
		"doubled, not told of": {page(1, 2, 2), Tally{2, 1, 1, 1, nil, []string{"t-000002"}}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, tc.want, Count(tc.page, "t", []Sample{acked, unknown}))
		})
	}
}

func TestDates(t *testing.T) {
	windows := []Window{{at(100), at(110)}}
	for name, tc := range map[string]struct {
		sent, done, dated float64
		want              Dated
		skew              time.Duration
	}{
		"exact":                       {50, 50.2, 50.1, Dated{Exact: 1}, 0},
		"as it was sent":              {50, 50.2, 50, Dated{Exact: 1}, 0},
		"just before the fault":       {98, 98.2, 105, Dated{Off: 1, Worst: 6800 * time.Millisecond}, 0},
		"while servers take over":     {101, 104, 105, Dated{Off: 1, Worst: time.Second}, 0},
		"long before, by the replay":  {90, 90.2, 105, Dated{Wrong: []string{"t-000001 is dated"}}, 0},
		"after all was well again":    {111, 112, 113, Dated{Wrong: []string{"no fault was near"}}, 0},
		"near, dated after the fault": {98, 98.2, 111, Dated{Wrong: []string{"t-000001 is dated"}}, 0},
		"before it was sent":          {50, 50.2, 49, Dated{Wrong: []string{"before it was posted"}}, 0},
		"by a clock that is behind":   {50, 50.2, 49, Dated{Exact: 1}, 2 * time.Second},
		"by a clock that is ahead":    {50, 50.2, 52, Dated{Exact: 1}, 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			page := fmt.Sprintf(`<h2>t-000001</h2><time>%s</time><h2>another's</h2><time>2020-01-01T00:00:00Z</time>`,
				at(tc.dated).Format(time.RFC3339Nano))
			got := Dates(page, []Sample{post(1, tc.sent, tc.done, "")}, windows, 3*time.Second, tc.skew)
			require.Len(t, got.Wrong, len(tc.want.Wrong))
			if len(got.Wrong) > 0 {
				require.Contains(t, got.Wrong[0], tc.want.Wrong[0])
				got.Wrong, tc.want.Wrong = nil, nil
			}
			require.Equal(t, tc.want, got)
		})
	}
	require.Zero(t, Dates("<li>t-000001</li>", []Sample{post(1, 1, 2, "")}, windows, time.Second, 0), "no dates on the page")
}

func TestFigures(t *testing.T) {
	samples := []Sample{post(1, 0, 1, ""), post(2, 0, 3, ""), post(3, 0, 2, ""), post(4, 0, 30, "503"), post(5, 0, 9, "503")}
	require.Equal(t, 3*time.Second, Quantile(samples, 1))
	require.Equal(t, 2*time.Second, Quantile(samples, 0.5))
	require.Zero(t, Quantile(samples[3:], 0.5))
	require.Equal(t, map[string]int{"503": 2}, Failed(samples))
	require.Empty(t, Of(samples, Static))
}

// news is a site that keeps posts, and misbehaves as a test says.
type news struct {
	mu     sync.Mutex
	titles []string
	status map[string]int
	asked  map[string]int
}

func (n *news) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asked[r.URL.Path]++
	if status, ok := n.status[r.URL.Path]; ok {
		w.Header().Set("Reason", "no leader")
		w.WriteHeader(status)
		return
	}
	switch r.URL.Path {
	case site.PostPath:
		n.titles = append(n.titles, r.FormValue("title"))
		http.Redirect(w, r, "Read.action", http.StatusFound)
	case site.ReadPath:
		fmt.Fprint(w, n.titles)
	}
}

// The load sends every kind, at about its rate, and what it says of posts is what the site has.
func TestLoad(t *testing.T) {
	n := &news{asked: map[string]int{}, status: map[string]int{}}
	server := httptest.NewServer(n)
	defer server.Close()
	l := Start(Options{URL: server.URL, Rate: 200, Posts: 0.4, StaticFile: "/styles/a.css", Titles: "t"})
	require.Eventually(t, func() bool { return len(l.Samples()) >= 200 }, 10*time.Second, time.Millisecond)
	samples := l.Stop()
	require.Empty(t, Failed(samples))
	for _, path := range []string{"/", site.ReadPath, site.PostPath, "/styles/a.css"} {
		require.Positive(t, n.asked[path], path)
	}
	page, err := List(t.Context(), server.URL, time.Second)
	require.NoError(t, err)
	posts := len(Of(samples, Post))
	require.Equal(t, Tally{Sent: posts, Acknowledged: posts}, Count(page, "t", samples))
	require.InDelta(t, 0.4, float64(posts)/float64(len(samples)), 0.15)
}

// Slow visitors keep their connections, and only what they ask after a pause counts.
func TestSlow(t *testing.T) {
	n := &news{asked: map[string]int{}, status: map[string]int{"/": 502}}
	server := httptest.NewUnstartedServer(n)
	var opened atomic.Int32
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	slow := Slow{URL: server.URL, Visitors: 4, Pauses: []time.Duration{1, 1, 1}, Paths: []string{"/", "/styles/a.css"}}
	samples := slow.Visit(t.Context())
	require.Len(t, samples, 12)
	require.Equal(t, map[string]int{"502": 6}, Failed(samples))
	require.EqualValues(t, 4, opened.Load(), "a connection each")
	ended, end := context.WithCancel(t.Context())
	end()
	slow.Pauses[0] = time.Hour
	require.Empty(t, slow.Visit(ended))
}

func TestProblems(t *testing.T) {
	n := &news{asked: map[string]int{}, status: map[string]int{"/": 503, site.ReadPath: 503, site.PostPath: 200}}
	server := httptest.NewServer(n)
	run := func(url string) map[string]int {
		l := Start(Options{URL: url, Rate: 500, Posts: 0.5, Titles: "t", Header: "Reason"})
		require.Eventually(t, func() bool { return len(l.Samples()) >= 50 }, 10*time.Second, time.Millisecond)
		return Failed(l.Stop())
	}
	failed := run(server.URL)
	require.Positive(t, failed["503 no leader"])
	require.Positive(t, failed["200 no leader"], "a post that is not answered by a redirection was not taken")
	require.Len(t, failed, 2)
	_, err := List(t.Context(), server.URL, 50*time.Millisecond)
	require.ErrorContains(t, err, "503")
	server.Close()
	failed = run(server.URL)
	require.Len(t, failed, 1)
	require.Positive(t, failed["no connection"])
}
