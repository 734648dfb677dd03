package ops

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
)

// Load is how hard a benchmark presses.
type Load struct{ Requests, Concurrency int }

// Route is one way to the application that a benchmark measures.
type Route struct {
	Name string
	URL  string
	Via  []string // command to run ab under, e.g. inside another network namespace; empty: directly
}

// Bench presses every route in turn with ApacheBench, prints what ab prints, and ends with the routes side by
// side, so that what the edge costs can be read from one run.
func Bench(ctx context.Context, routes []Route, load Load, out io.Writer) error {
	type row struct{ name, rate, median, p99, failed string }
	var rows []row
	for _, route := range routes {
		fmt.Fprintf(out, "== %s: %s\n", route.Name, route.URL)
		argv := append(slices.Clone(route.Via), "ab", "-q",
			"-n", fmt.Sprint(load.Requests), "-c", fmt.Sprint(load.Concurrency), route.URL)
		report, err := exec.CommandContext(ctx, argv[0], argv[1:]...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("bench: %s: %s: %w\n%s\n"+
				"is ab (Debian: apache2-utils) installed, and does the site answer? try: make smoke",
				route.Name, strings.Join(argv, " "), err, report)
		}
		fmt.Fprintf(out, "%s\n", report)
		rows = append(rows, row{route.Name, abField(report, abRate), abField(report, abMedian),
			abField(report, abP99), abField(report, abFailed)})
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "route\trequests/s\tp50 ms\tp99 ms\tfailed\n")
	for _, r := range rows {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", r.name, r.rate, r.median, r.p99, r.failed)
	}
	return table.Flush()
}

// What is read out of ab's report; it has no machine-readable form for all of these.
var (
	abRate   = regexp.MustCompile(`Requests per second:\s+([0-9.]+)`)
	abMedian = regexp.MustCompile(`(?m)^\s+50%\s+([0-9]+)`)
	abP99    = regexp.MustCompile(`(?m)^\s+99%\s+([0-9]+)`)
	abFailed = regexp.MustCompile(`(?:Non-2xx responses|Failed requests):\s+([0-9]+)`)
)

// abField is the field's largest reading, or "?" where ab did not print it.
func abField(report []byte, field *regexp.Regexp) string {
	largest := "?"
	for _, m := range field.FindAllSubmatch(report, -1) {
		reading := string(m[1])
		longer, equal := len(reading) > len(largest), len(reading) == len(largest)
		if largest == "?" || longer || equal && reading > largest {
			largest = reading
		}
	}
	return largest
}
