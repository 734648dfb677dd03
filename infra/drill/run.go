package drill

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"twip/infra/load"
	"twip/infra/site"
)

// Drill is one fault with its promise.
type Drill struct {
	Name    string
	Fault   string // what happens, as a sentence without its end
	Promise Promise

	// Do makes the fault, and returns when it is over. Its error means that there was none, and so no drill.
	Do func(ctx context.Context, say func(string)) error
	// After checks what else was promised, when the site is well again; nil: nothing.
	After func(ctx context.Context) ([]Check, error)
}

// ErrNotHere is what Do returns when an environment has no such thing to break.
var ErrNotHere = errors.New("cannot be done here")

// Outcome is what became of a drill.
type Outcome struct {
	Drill    string    `json:"drill"`
	Fault    string    `json:"fault"`
	Promise  string    `json:"promise"`
	Rate     int       `json:"requestsPerSecond"`
	Began    time.Time `json:"began"`
	Seconds  float64   `json:"seconds"`
	Problem  string    `json:"problem,omitempty"` // why it could not be carried out, or be judged
	Verdict  `json:"verdict"`
	NotHere  bool `json:"notHere,omitempty"`
	timeline Timeline
}

// Word is the verdict in a word.
func (o Outcome) Word() string {
	switch {
	case o.NotHere:
		return "NOT HERE"
	case o.Problem != "":
		return "FAILED"
	case o.Kept:
		return "KEPT"
	}
	return "BROKEN"
}

// Options of a run of drills.
type Options struct {
	URL   string        // the site
	Rate  int           // requests a second; the default is 40
	Skew  time.Duration // between the servers' clocks and this computer's, at the most
	Whole func(ctx context.Context) error
	Out   io.Writer
	// Done is called after every drill, with all that there are so far; nil: never.
	Done func([]Outcome) error

	// The times below have defaults; tests shorten them.
	Before   time.Duration // of load before the fault
	Calm     time.Duration // without a failure after the fault, before the load ends
	Patience time.Duration // for the site to be well, before and after
}

func (o Options) withDefaults() Options {
	for _, d := range []struct {
		value  *time.Duration
		normal time.Duration
	}{{&o.Before, 5 * time.Second}, {&o.Calm, 5 * time.Second}, {&o.Patience, 3 * time.Minute}} {
		if *d.value == 0 {
			*d.value = d.normal
		}
	}
	o.Rate = cmp.Or(o.Rate, rate)
	return o
}

// Choose finds the drills with these names, separated by commas; all of them for "".
func Choose(all []Drill, names string) ([]Drill, error) {
	if names == "" {
		return all, nil
	}
	var chosen []Drill
	for _, name := range strings.Split(names, ",") {
		i := slices.IndexFunc(all, func(d Drill) bool { return d.Name == strings.TrimSpace(name) })
		if i < 0 {
			var known []string
			for _, d := range all {
				known = append(known, d.Name)
			}
			return nil, fmt.Errorf("drill %q is unknown here: use one of %s", name, strings.Join(known, ", "))
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// Run carries out one drill after the other. Its error says which promises were broken.
func Run(ctx context.Context, drills []Drill, o Options) ([]Outcome, error) {
	o = o.withDefaults()
	var outcomes []Outcome
	var broken []string
	for _, d := range drills {
		outcome := d.run(ctx, o)
		outcomes = append(outcomes, outcome)
		tell(o.Out, outcome)
		if !outcome.Kept && !outcome.NotHere {
			broken = append(broken, d.Name)
		}
		if o.Done != nil {
			if err := o.Done(outcomes); err != nil {
				return outcomes, err
			}
		}
		if ctx.Err() != nil {
			return outcomes, fmt.Errorf("drills: ended after %d of %d: %w", len(outcomes), len(drills), context.Cause(ctx))
		}
	}
	if len(broken) > 0 {
		return outcomes, fmt.Errorf("drills: %d of %d did not keep their promises: %s", len(broken), len(drills),
			strings.Join(broken, ", "))
	}
	return outcomes, nil
}

func (d Drill) run(ctx context.Context, o Options) Outcome {
	began := time.Now()
	outcome := Outcome{Drill: d.Name, Fault: d.Fault, Promise: d.Promise.String(), Rate: o.Rate,
		Began: began}
	say := func(line string) { fmt.Fprintf(o.Out, "%6.1fs  %s\n", time.Since(began).Seconds(), line) }
	fmt.Fprintf(o.Out, "\ndrill %s: %s\n         %s\n", d.Name, d.Fault, outcome.Promise)
	timeline, extra, err := d.watch(ctx, o, say)
	outcome.timeline, outcome.Seconds = timeline, time.Since(began).Seconds()
	if len(timeline.Samples) > 0 && !timeline.Fault.IsZero() {
		outcome.Verdict = judge(d.Promise, timeline)
		outcome.Checks = append(outcome.Checks, extra...)
		outcome.settle()
	}
	if err != nil {
		outcome.Problem, outcome.Kept, outcome.NotHere = err.Error(), false, errors.Is(err, ErrNotHere)
	}
	return outcome
}

// watch carries the drill out and returns what people saw of it.
func (d Drill) watch(ctx context.Context, o Options, say func(string)) (t Timeline, extra []Check, err error) {
	if err := await(ctx, o.Patience, func() error { return o.Whole(ctx) }); err != nil {
		return t, nil, fmt.Errorf("the environment was not well before the drill: %w", err)
	}
	front, err := site.Get(ctx, strings.TrimSuffix(o.URL, "/")+site.FrontPath)
	if err != nil {
		return t, nil, fmt.Errorf("the site was not well before the drill: %w", err)
	}
	file := site.StaticFile(front, o.URL)
	if file == "" {
		return t, nil, errors.New("the front page refers to no file under /styles/ or /images/, so the static tier " +
			"cannot be watched")
	}
	t.Titles = fmt.Sprintf("drill-%s-%s", d.Name, strings.ToLower(rand.Text()[:8]))
	t.Began, t.Rate, t.Skew = time.Now(), o.Rate, o.Skew
	visitors := load.Start(load.Options{URL: o.URL, Rate: o.Rate, Posts: postShare, StaticFile: file, Titles: t.Titles})
	defer func() { // however it ended, what people saw is kept
		t.Ended = time.Now()
		t.Samples = visitors.Stop()
		page, readErr := load.List(context.WithoutCancel(ctx), o.URL, o.Patience)
		if readErr != nil {
			err = errors.Join(err, fmt.Errorf("the list of articles cannot be read afterwards: %w", readErr))
		}
		t.Page = page
		if err == nil && d.After != nil {
			extra, err = d.After(ctx)
		}
	}()
	well := func(since time.Time, long time.Duration) func() error {
		return func() error { return flowing(visitors.Samples(), since, long) }
	}
	if err := await(ctx, o.Patience, well(t.Began, o.Before)); err != nil {
		return t, nil, fmt.Errorf("the site was not well before the fault: %w", err)
	}
	say("all kinds of requests are answered; now the fault")
	t.Fault = time.Now()
	err = d.Do(ctx, say)
	t.Over = time.Now()
	if err != nil {
		return t, nil, fmt.Errorf("the fault could not be made, or not be mended: %w", err)
	}
	say("the fault is over")
	if err := await(ctx, o.Patience, well(t.Over, o.Calm)); err != nil {
		say("the site is not well: " + err.Error())
		return t, nil, ctx.Err() // the promise is broken, which the timeline shows
	}
	say("all kinds of requests are answered again")
	return t, nil, nil
}

// flowing is nil when, for so long and since a moment, requests of every kind were answered and none failed.
func flowing(samples []load.Sample, since time.Time, long time.Duration) error {
	now := time.Now()
	from := now.Add(-long)
	if from.Before(since) {
		return fmt.Errorf("it was watched for %s only", seconds(now.Sub(since)))
	}
	for _, kind := range []load.Kind{load.Page, load.Post, load.Static} {
		answered := 0
		for _, s := range load.Of(samples, kind) {
			switch {
			case !s.Done.After(from):
			case !s.OK():
				return fmt.Errorf("a request failed in the last %s: %s: %s", seconds(long), kind, s.Problem)
			default:
				answered++
			}
		}
		if answered == 0 {
			return fmt.Errorf("no %s was answered in the last %s", kind, seconds(long))
		}
	}
	return nil
}

// await asks until there is no problem, or patience ends.
func await(ctx context.Context, patience time.Duration, problem func() error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := problem()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w (after %s)", err, seconds(patience))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// tell prints what became of a drill.
func tell(out io.Writer, o Outcome) {
	fmt.Fprintf(out, "%s after %.0f s\n", o.Word(), o.Seconds)
	if o.Problem != "" {
		fmt.Fprintf(out, "  %s\n", o.Problem)
	}
	for _, c := range o.Checks {
		sign := "  "
		if !c.Kept {
			sign = "! "
		}
		fmt.Fprintf(out, "%s%s: %s (promised: %s)\n", sign, c.What, c.Measured, c.Promised)
	}
}
