package drill

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"twip/infra/load"
)

const (
	// rate is how many requests a second visit the site during a drill by default, postShare how many of them post.
	rate      = 40
	postShare = 0.3
	// dated is how long after its acknowledgement the date of an article survives whatever happens: the application is
	// made to take a snapshot within seconds of a change.
	dated = 3 * time.Second
	// slow is what nobody waits for when all is well.
	slow = time.Second
)

// Timeline is what people saw of a drill.
type Timeline struct {
	Titles      string        // what the titles of its posts begin with
	Rate        int           // of requests, a second
	Skew        time.Duration // between the servers' clocks and this computer's, at the most
	Samples     []load.Sample
	Began       time.Time
	Fault, Over time.Time // from when until when something was broken
	Ended       time.Time // of the load
	Page        string    // the list of articles afterwards
}

// Check is one thing that was promised, and what was measured of it.
type Check struct {
	What     string `json:"what"`
	Promised string `json:"promised"`
	Measured string `json:"measured"`
	Kept     bool   `json:"kept"`
}

// Figures are those of one kind of requests, from the fault on.
type Figures struct {
	Kind    load.Kind      `json:"kind"`
	Sent    int            `json:"sent"`
	Failed  map[string]int `json:"failed"`      // by what came instead of an answer
	Away    float64        `json:"awaySeconds"` // the longest time without an answer
	P50     float64        `json:"p50Seconds"`
	P99     float64        `json:"p99Seconds"`
	Longest float64        `json:"longestSeconds"`
}

// Mark is a moment of a drill, in seconds from its beginning.
type Mark struct {
	Name string  `json:"name"`
	At   float64 `json:"atSeconds"`
}

// Verdict is what a timeline says about a promise.
type Verdict struct {
	Kept    bool       `json:"kept"`
	Checks  []Check    `json:"checks"`
	Figures []Figures  `json:"figures"`
	Posts   load.Tally `json:"posts"`
	Dates   load.Dated `json:"dates"`
	Marks   []Mark     `json:"marks"`
}

// judge holds a timeline against a promise.
func judge(p Promise, t Timeline) Verdict {
	v := Verdict{Posts: load.Count(t.Page, t.Titles, t.Samples)}
	since := slices.DeleteFunc(slices.Clone(t.Samples), func(s load.Sample) bool { return !s.Done.After(t.Fault) })
	var back time.Time // when posts, which only one server takes, were answered again
	for _, kind := range []struct {
		kind  load.Kind
		name  string
		bound Bound
	}{{load.Page, "pages", p.Pages}, {load.Post, "posts", p.Posts}, {load.Static, "static files", p.Static}} {
		gap, from := load.Gap(load.Of(t.Samples, kind.kind), t.Fault, t.Ended)
		if kind.kind == load.Post && gap > slow {
			back = from.Add(gap)
		}
		v.measure(kind.kind, kind.name, kind.bound, load.Of(since, kind.kind), gap)
	}
	recovered := recovery(since)
	if !recovered.IsZero() {
		recovered = latest(recovered, back)
	}
	v.Dates = load.Dates(t.Page, t.Samples, []load.Window{{From: t.Fault, To: latest(t.Fault, back, recovered)}}, dated,
		t.Skew)
	v.account(t)
	v.Marks = []Mark{{"fault", t.Fault.Sub(t.Began).Seconds()}}
	for _, mark := range []struct {
		name string
		at   time.Time
	}{{"fault over", t.Over}, {"posts again", back}, {"all well", recovered}} {
		if !mark.at.IsZero() {
			v.Marks = append(v.Marks, Mark{mark.name, mark.at.Sub(t.Began).Seconds()})
		}
	}
	v.settle()
	return v
}

// settle makes the verdict of the checks. Without any, nothing was shown.
func (v *Verdict) settle() {
	v.Kept = len(v.Checks) > 0 && !slices.ContainsFunc(v.Checks, func(c Check) bool { return !c.Kept })
}

func (v *Verdict) measure(kind load.Kind, name string, bound Bound, since []load.Sample, gap time.Duration) {
	f := Figures{Kind: kind, Sent: len(since), Failed: load.Failed(since), Away: gap.Seconds(),
		P50: load.Quantile(since, 0.5).Seconds(), P99: load.Quantile(since, 0.99).Seconds(),
		Longest: load.Quantile(since, 1).Seconds()}
	v.Figures = append(v.Figures, f)
	if bound.Away >= 0 {
		v.Checks = append(v.Checks, Check{name + ": longest time without an answer", "at most " + seconds(bound.Away),
			seconds(gap), gap <= bound.Away})
	}
	if bound.Failed != Any {
		failed := 0
		for _, times := range f.Failed {
			failed += times
		}
		v.Checks = append(v.Checks, Check{name + ": failed", fmt.Sprintf("at most %d", bound.Failed),
			fmt.Sprintf("%d of %d%s", failed, f.Sent, kinds(f.Failed)), failed <= bound.Failed})
	}
}

func kinds(failed map[string]int) string {
	var parts []string
	for _, problem := range slices.Sorted(maps.Keys(failed)) {
		parts = append(parts, fmt.Sprintf("%s: %d", problem, failed[problem]))
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// account checks what is promised of every drill.
func (v *Verdict) account(t Timeline) {
	before := 0
	for _, s := range load.Of(t.Samples, load.Post) {
		if s.OK() && !s.Done.After(t.Fault) {
			before++
		}
	}
	// A quarter of what was to be sent: a busy computer sends late.
	expected := int(t.Fault.Sub(t.Began).Seconds() * float64(t.Rate) * postShare / 4)
	of := fmt.Sprintf(" of %d", v.Posts.Acknowledged)
	v.Checks = append(v.Checks,
		Check{"posts acknowledged before the fault", fmt.Sprintf("at least %d", max(1, expected)), fmt.Sprint(before),
			before >= max(1, expected)},
		Check{"acknowledged posts lost", "0", fmt.Sprint(len(v.Posts.Lost)) + of + some(v.Posts.Lost),
			len(v.Posts.Lost) == 0},
		Check{"posts doubled", "0", fmt.Sprint(len(v.Posts.Doubled)) + some(v.Posts.Doubled), len(v.Posts.Doubled) == 0})
	if shown := v.Dates.Exact + v.Dates.Off + len(v.Dates.Wrong); shown > 0 {
		v.Checks = append(v.Checks, Check{"articles posted more than " + seconds(dated) + " before the fault, or after it, " +
			"with another date", "0", fmt.Sprintf("%d of %d%s", len(v.Dates.Wrong), shown, some(v.Dates.Wrong)),
			len(v.Dates.Wrong) == 0})
	}
}

// some shows the first of many.
func some(all []string) string {
	if len(all) == 0 {
		return ""
	}
	more := ""
	if len(all) > 3 {
		more = ", …"
	}
	return ": " + strings.Join(all[:min(3, len(all))], ", ") + more
}

// recovery is the first answer to a request that was sent after all that failed or took long; zero if none did, or none
// followed.
func recovery(since []load.Sample) (first time.Time) {
	var bad time.Time
	for _, s := range since {
		if (!s.OK() || s.Took() > slow) && s.Sent.After(bad) {
			bad = s.Sent
		}
	}
	for _, s := range since {
		if !bad.IsZero() && s.OK() && s.Sent.After(bad) && (first.IsZero() || s.Done.Before(first)) {
			first = s.Done
		}
	}
	return first
}

func latest(times ...time.Time) time.Time { return slices.MaxFunc(times, time.Time.Compare) }
