package ops

import (
	"context"
	"fmt"
	"io"
	"os"

	"twip/infra/bench"
)

// Load is how hard a benchmark presses.
type Load struct{ Requests, Concurrency int }

// Route is one way to the application that a benchmark measures.
type Route struct {
	Name string
	URL  string
	Via  []string // command to run ab under, e.g. inside another network namespace; empty: directly
}

// benchRuns is how often every route is measured; the median counts.
const benchRuns = 3

// Bench presses every route in turn with ApacheBench and prints the routes side by side, with their ratio to Jetty, so
// that what the edge costs can be read from one run. A picture of the latencies goes to TWIP_BENCH_SVG, if that is set.
func Bench(ctx context.Context, routes []Route, load Load, out io.Writer) error {
	var measured []bench.Route
	for _, r := range routes {
		measured = append(measured, bench.Route{Name: r.Name, URL: r.URL, Via: r.Via})
	}
	results, err := bench.Run(
		ctx,
		measured,
		bench.Options{Requests: load.Requests, Concurrency: load.Concurrency, Runs: benchRuns, Progress: out},
	)
	if err != nil {
		return err
	}
	if err := bench.Table(out, results, "Jetty"); err != nil {
		return err
	}
	name := os.Getenv("TWIP_BENCH_SVG")
	if name == "" {
		return nil
	}
	picture, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("bench: TWIP_BENCH_SVG: %w", err)
	}
	if err := bench.Draw(picture, results); err != nil {
		return err
	}
	return picture.Close()
}
