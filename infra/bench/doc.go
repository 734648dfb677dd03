// Package bench measures ways to the application side by side: requests a second, latency, and the processor time that
// each process on the way takes for a request. Rates depend on what else a computer does at that moment; processor time
// hardly does, so it is the figure to compare.
//
// What belongs here: running ApacheBench, and making figures of what it says. Which ways there are, and which processes
// are on them, say those who know an environment.
package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// Route is one way to the application.
type Route struct {
	Name      string
	URL       string
	Via       []string // command to run ab under, such as nsenter; empty: directly
	Post      []byte   // the form to post; nil: the page is read
	KeepAlive bool
}

// Process is one whose processor time is counted.
type Process struct {
	Name string
	PID  int // on this computer
}

// Options say how hard to press. All are required but the last two.
type Options struct {
	Requests    int
	Concurrency int
	Runs        int // of every route, in turns; the median counts
	Processes   []Process
	Progress    io.Writer // a line for each run; nil: none
}

// Result is what was measured of a route. All figures are medians over the runs, but Failed, which is their sum.
type Result struct {
	Route   Route
	Rate    float64            // requests a second
	Latency [100]float64       // in milliseconds: Latency[99] is what 99 % stay below
	CPU     map[string]float64 // by process, in microseconds a request
	Failed  int                // requests without an answer, or with one that is no success and no redirection
}

// Run measures every route. It fails when ab cannot be run, a process is gone, or an option is missing.
func Run(ctx context.Context, routes []Route, o Options) ([]Result, error) {
	if o.Requests < 1 || o.Concurrency < 1 || o.Concurrency > o.Requests || o.Runs < 1 || len(routes) == 0 {
		return nil, fmt.Errorf("bench: %d requests, %d at a time, %d runs of %d routes cannot be measured: "+
			"give at least one of each, and not more at a time than in all", o.Requests, o.Concurrency, o.Runs, len(routes))
	}
	dir, err := os.MkdirTemp("", "twip-bench-")
	if err != nil {
		return nil, err
	}
	measures := make([][]measure, len(routes))
	for run := range o.Runs {
		for i, route := range routes {
			m, err := measureOnce(ctx, route, o, dir)
			if err != nil {
				return nil, errors.Join(fmt.Errorf("bench: %s: %w", route.Name, err), os.RemoveAll(dir))
			}
			measures[i] = append(measures[i], m)
			if o.Progress != nil {
				fmt.Fprintf(
					o.Progress,
					"run %d of %d, %s: %.0f requests/s, %d failed\n",
					run+1,
					o.Runs,
					route.Name,
					m.rate,
					m.failed,
				)
			}
		}
	}
	results := make([]Result, len(routes))
	for i, route := range routes {
		results[i] = summarize(route, measures[i])
	}
	return results, os.RemoveAll(dir)
}

func summarize(route Route, measures []measure) Result {
	r := Result{Route: route, CPU: map[string]float64{}}
	r.Rate = median(measures, func(m measure) float64 { return m.rate })
	for i := range r.Latency {
		r.Latency[i] = median(measures, func(m measure) float64 { return m.latency[i] })
	}
	for name := range measures[0].cpu {
		r.CPU[name] = median(measures, func(m measure) float64 { return m.cpu[name] })
	}
	for _, m := range measures {
		r.Failed += m.failed
	}
	return r
}

// median of an even number is the lower of the two in the middle.
func median(measures []measure, of func(measure) float64) float64 {
	values := make([]float64, len(measures))
	for i, m := range measures {
		values[i] = of(m)
	}
	slices.Sort(values)
	return values[(len(values)-1)/2]
}
