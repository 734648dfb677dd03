package drill

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twip/infra/site"
)

// news is a site that keeps posts, until a test breaks it.
type news struct {
	mu       sync.Mutex
	titles   []string
	away     bool // answers 503
	plain    bool // refers to no static file
	forgets  bool // acknowledges posts and drops them
	repeats  bool // keeps posts twice
	requests int
}

func (n *news) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.requests++
	switch {
	case n.away:
		w.WriteHeader(http.StatusServiceUnavailable)
	case r.URL.Path == site.PostPath:
		if !n.forgets {
			n.titles = append(n.titles, r.FormValue("title"))
		}
		if n.repeats {
			n.titles = append(n.titles, r.FormValue("title"))
		}
		http.Redirect(w, r, "Read.action", http.StatusFound)
	case r.URL.Path == site.ReadPath:
		fmt.Fprint(w, n.titles)
	case r.URL.Path == site.FrontPath && !n.plain:
		fmt.Fprint(w, `<link href="/styles/a.css">`)
	}
}

func (n *news) set(change func(*news)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	change(n)
}

// brief is a run whose waits are short.
func brief(url string, out *bytes.Buffer) Options {
	return Options{URL: url, Out: out, Whole: func(context.Context) error { return nil },
		Before: 500 * time.Millisecond, Calm: 500 * time.Millisecond, Patience: 8 * time.Second}
}

func TestRun(t *testing.T) {
	// Long enough for a computer that is busy with other tests.
	promise := Promise{Pages: interrupted(4 * time.Second), Posts: interrupted(4 * time.Second), Static: interrupted(4 * time.Second)}
	awayFor := func(long time.Duration) func(*news) error {
		return func(n *news) error {
			n.set(func(n *news) { n.away = true })
			time.Sleep(long) // what is drilled is time
			n.set(func(n *news) { n.away = false })
			return nil
		}
	}
	for name, tc := range map[string]struct {
		fault func(*news) error
		after func(context.Context) ([]Check, error)
		word  string
		says  string
	}{
		"kept":       {awayFor(300 * time.Millisecond), nil, "KEPT", "acknowledged posts lost: 0 of"},
		"broken":     {awayFor(4300 * time.Millisecond), nil, "BROKEN", "! pages: longest time without an answer"},
		"posts lost": {func(n *news) error { n.set(func(n *news) { n.forgets = true }); return nil }, nil, "BROKEN", "! acknowledged posts lost"},
		"posts gone": {func(n *news) error { n.set(func(n *news) { n.titles = nil }); return nil }, nil, "BROKEN", "! acknowledged posts lost"},
		"posts twice": {func(n *news) error { n.set(func(n *news) { n.repeats = true }); return nil }, nil, "BROKEN",
			"! posts doubled"},
		"never back":     {func(n *news) error { n.set(func(n *news) { n.away = true }); return nil }, nil, "FAILED", "cannot be read afterwards"},
		"no fault":       {func(*news) error { return errors.New("no such container") }, nil, "FAILED", "no such container"},
		"not here":       {func(*news) error { return fmt.Errorf("%w: needs kernels", ErrNotHere) }, nil, "NOT HERE", "needs kernels"},
		"more promised":  {awayFor(0), func(context.Context) ([]Check, error) { return []Check{{"x", "1", "2", false}}, nil }, "BROKEN", "! x: 2"},
		"more not known": {awayFor(0), func(context.Context) ([]Check, error) { return nil, errors.New("silent") }, "FAILED", "silent"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := &news{}
			server := httptest.NewServer(n)
			defer server.Close()
			var out bytes.Buffer
			d := Drill{Name: "one", Fault: "something happens", Promise: promise, After: tc.after,
				Do: func(context.Context, func(string)) error { return tc.fault(n) }}
			outcomes, err := Run(t.Context(), []Drill{d}, brief(server.URL, &out))
			require.Len(t, outcomes, 1)
			require.Equal(t, tc.word, outcomes[0].Word(), out.String())
			require.Contains(t, out.String(), tc.says)
			if tc.word == "KEPT" || tc.word == "NOT HERE" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, "1 of 1 did not keep their promises: one")
			}
		})
	}
}

func TestNoDrillOfWhatIsNotWell(t *testing.T) {
	for name, tc := range map[string]struct {
		site  *news
		whole error
		says  string
	}{
		"a container is missing": {&news{}, errors.New("app-1 exited"), "app-1 exited"},
		"the site is away":       {&news{away: true}, nil, "the site was not well before the drill"},
		"no static file":         {&news{plain: true}, nil, "refers to no file under /styles/"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(tc.site)
			defer server.Close()
			o := brief(server.URL, &bytes.Buffer{})
			o.Whole, o.Patience = func(context.Context) error { return tc.whole }, 100*time.Millisecond
			outcomes, err := Run(t.Context(), []Drill{{Name: "one", Do: func(context.Context, func(string)) error {
				t.Error("something was broken")
				return nil
			}}}, o)
			require.Error(t, err)
			require.Contains(t, outcomes[0].Problem, tc.says)
		})
	}
}

func TestChoose(t *testing.T) {
	all := []Drill{{Name: "a"}, {Name: "b"}, {Name: "c"}}
	some, err := Choose(all, "c, a")
	require.NoError(t, err)
	require.Equal(t, []string{"c", "a"}, []string{some[0].Name, some[1].Name})
	some, err = Choose(all, "")
	require.NoError(t, err)
	require.Len(t, some, 3)
	_, err = Choose(all, "d")
	require.ErrorContains(t, err, `drill "d" is unknown here: use one of a, b, c`)
}

// The report is one file that needs nothing else, and shows what was promised and measured.
func TestWrite(t *testing.T) {
	seen := timeline(nil)
	kept := Outcome{Drill: "kept", Fault: "nothing happens", Promise: "all <well>", Verdict: judge(Promise{}, seen), timeline: seen}
	kept.Kept = true
	outcomes := []Outcome{kept, {Drill: "failed", Problem: "no <machine>"}}
	dir := t.TempDir()
	page, err := Write(dir, "train", outcomes)
	require.NoError(t, err)
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	for _, want := range []string{"all &lt;well&gt;", "no &lt;machine&gt;", "<svg", "posts lost", `class="KEPT"`, `class="FAILED"`,
		"fault over"} {
		require.Contains(t, string(text), want)
	}
	for _, outside := range []string{"<script", "src=", "@import", "url(http"} {
		require.NotContains(t, string(text), outside, "it needs no network")
	}
	require.Equal(t, 1, strings.Count(string(text), "<svg"))
	data, err := os.ReadFile(filepath.Join(dir, "train.json"))
	require.NoError(t, err)
	var report struct {
		Drills []struct {
			Drill   string
			Verdict struct{ Kept bool }
		}
	}
	require.NoError(t, json.Unmarshal(data, &report))
	require.Len(t, report.Drills, 2)
	require.True(t, report.Drills[0].Verdict.Kept)

	var out bytes.Buffer
	require.NoError(t, Table(&out, outcomes))
	require.Regexp(t, `kept +KEPT`, out.String())
	require.Regexp(t, `failed +FAILED`, out.String())
}

func TestBuckets(t *testing.T) {
	all := buckets(timeline(nil))
	require.Len(t, all, 41)
	require.Equal(t, bucket{answered: rate, reads: 20 * time.Millisecond, posts: 20 * time.Millisecond}, all[7])
}
