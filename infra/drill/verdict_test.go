package drill

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twip/infra/load"
)

// began is when all synthetic timelines begin; their fault is 10 s later, and 2 s long.
var began = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time { return began.Add(time.Duration(seconds * float64(time.Second))) }

// timeline is what people see of a site that answers everything at once, for 40 s. change may spoil a request; false
// leaves it out.
func timeline(change func(*load.Sample) bool) Timeline {
	t := Timeline{Titles: "t", Rate: rate, Began: began, Fault: at(10), Over: at(12), Ended: at(40)}
	var page strings.Builder
	for n := range 40 * rate {
		sent := float64(n) / rate
		s := load.Sample{Kind: load.Page, Sent: at(sent), Done: at(sent + 0.02)}
		switch n % 10 {
		case 0, 3, 6:
			s.Kind, s.Title = load.Post, load.Title("t", n)
		case 1, 5:
			s.Kind = load.Static
		}
		if change != nil && !change(&s) {
			continue
		}
		t.Samples = append(t.Samples, s)
		if s.Kind == load.Post && s.OK() {
			page.WriteString(listed(s.Title, s.Done.Add(-10*time.Millisecond)))
		}
	}
	t.Page = page.String()
	return t
}

func listed(title string, date time.Time) string {
	return fmt.Sprintf("<h2>%s</h2><time>%s</time>", title, date.Format(time.RFC3339Nano))
}

// kind chooses requests of a kind, sent between two moments.
func kind(s *load.Sample, k load.Kind, from, to float64) bool {
	return s.Kind == k && !s.Sent.Before(at(from)) && s.Sent.Before(at(to))
}

func TestJudge(t *testing.T) {
	promise := Promise{Pages: held(4 * time.Second), Posts: interrupted(4 * time.Second), Static: unnoticed}
	holds := func(k load.Kind, until float64) func(*load.Sample) bool {
		return func(s *load.Sample) bool {
			if kind(s, k, 10, until) {
				s.Done = at(until)
			}
			return true
		}
	}
	fails := func(k load.Kind, from, to float64) func(*load.Sample) bool {
		return func(s *load.Sample) bool {
			if kind(s, k, from, to) {
				s.Problem = "503"
			}
			return true
		}
	}
	for name, tc := range map[string]struct {
		change func(*load.Sample) bool
		after  func(*Timeline)
		broken string // the check that is, of those that are; empty: all are kept
	}{
		"nothing happens":              {nil, nil, ""},
		"pages are held":               {holds(load.Page, 13.5), nil, ""},
		"pages are held too long":      {holds(load.Page, 15), nil, "pages: longest time"},
		"a page fails":                 {fails(load.Page, 11, 11.1), nil, "pages: failed"},
		"a page fails before":          {fails(load.Page, 8, 8.1), nil, ""},
		"posts fail for a while":       {fails(load.Post, 10, 13), nil, ""},
		"posts fail too long":          {fails(load.Post, 10, 14.5), nil, "posts: longest time"},
		"posts never come back":        {fails(load.Post, 10, 40), nil, "posts: longest time"},
		"posts fail much later":        {fails(load.Post, 30, 35), nil, "posts: longest time"},
		"files are away":               {holds(load.Static, 13), nil, "static files: longest time"},
		"a file fails":                 {fails(load.Static, 20, 20.1), nil, "static files: failed"},
		"nobody posts":                 {func(s *load.Sample) bool { return s.Kind != load.Post }, nil, "posts: longest time"},
		"nobody posts before the harm": {func(s *load.Sample) bool { return !kind(s, load.Post, 0, 10) }, nil, "before the fault"},
		"hardly anybody visits": {func(s *load.Sample) bool { return s.Kind != load.Post || s.Sent.After(at(9)) }, nil,
			"before the fault"},
		"an acknowledged post is lost": {nil, func(t *Timeline) { t.Page = strings.Replace(t.Page, load.Title("t", 50), "x", 1) },
			"posts lost"},
		"nothing can be read": {nil, func(t *Timeline) { t.Page = "" }, "posts lost"},
		"a post is doubled":   {nil, func(t *Timeline) { t.Page += listed(load.Title("t", 50), at(1.3)) }, "posts doubled"},
		"an old post changes its date": {nil, func(t *Timeline) {
			t.Page = strings.Replace(t.Page, at(1.26).Format(time.RFC3339Nano), at(12).Format(time.RFC3339Nano), 1)
		}, "another date"},
	} {
		t.Run(name, func(t *testing.T) {
			seen := timeline(tc.change)
			if tc.after != nil {
				before := seen.Page
				tc.after(&seen)
				require.NotEqual(t, before, seen.Page)
			}
			v := judge(promise, seen)
			var broken []string
			for _, c := range v.Checks {
				if !c.Kept {
					broken = append(broken, c.What)
				}
			}
			require.Equal(t, tc.broken == "", v.Kept, "%v", broken)
			if tc.broken != "" {
				require.Contains(t, strings.Join(broken, "\n"), tc.broken)
			}
		})
	}
}

// A post just before the fault, or during it, may be dated by the takeover.
func TestTakeoverMayDateWhatItReplays(t *testing.T) {
	seen := timeline(func(s *load.Sample) bool {
		if kind(s, load.Post, 10, 13) {
			s.Done = at(13)
		}
		return true
	})
	title := load.Title("t", 9*rate) // sent at 9 s
	exact := listed(title, at(9.01))
	require.Contains(t, seen.Page, exact)
	for dated, kept := range map[float64]bool{12.5: true, 14: false} {
		other := seen
		other.Page = strings.Replace(seen.Page, exact, listed(title, at(dated)), 1)
		require.Equal(t, kept, judge(Promise{}, other).Dates.Wrong == nil, dated)
	}
}

func TestMarks(t *testing.T) {
	require.Equal(t, []Mark{{"fault", 10}, {"fault over", 12}}, judge(Promise{}, timeline(nil)).Marks)
	v := judge(Promise{}, timeline(func(s *load.Sample) bool {
		switch {
		case kind(s, load.Post, 10, 13):
			s.Problem = "503"
		case kind(s, load.Page, 10, 14):
			s.Done = at(15)
		}
		return true
	}))
	require.Len(t, v.Marks, 4)
	require.Equal(t, "posts again", v.Marks[2].Name)
	require.InDelta(t, 13, v.Marks[2].At, 0.2)
	require.Equal(t, "all well", v.Marks[3].Name)
	require.InDelta(t, 14, v.Marks[3].At, 0.2)
}

func TestNoVerdictWithoutChecks(t *testing.T) {
	v := Verdict{}
	v.settle()
	require.False(t, v.Kept)
}

func TestPromisesInWords(t *testing.T) {
	require.Equal(t, "pages again within 4 s, none fails; posts again within 2.5 s; static files as always",
		Promise{held(4 * time.Second), interrupted(2500 * time.Millisecond), unnoticed}.String())
	require.Equal(t, "answered at some time", Bound{Any, Any}.String())
	require.Equal(t, "again within 1 s, at most 3 fail", Bound{time.Second, 3}.String())
}

func TestSlowerMachinesArePromisedLess(t *testing.T) {
	slow := Promise{Pages: Bound{Any, 3}, Posts: interrupted(8 * time.Second), Static: unnoticed}.Slower(4)
	require.Equal(t, Promise{Pages: Bound{Any, 3}, Posts: interrupted(32 * time.Second), Static: held(8 * time.Second)}, slow)
}
